"""Objects: contents stored under the hash of their compressed bytes, written once and never changed."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable
from enum import StrEnum

from lode.errors import VerificationError
from lode.publishing.cvmfs.storage import Reader, Storage

Deflate = Callable[[bytes], bytes | bytearray]  # to a zlib stream (RFC 1950)

_HASH = re.compile(r"[0-9a-f]{40}")
_KEY = re.compile(r"data/([0-9a-f]{2})/([0-9a-f]{38})([PCHXM]?)")


class Kind(StrEnum):
    """What an object is: the letter behind its name."""

    FILE = ""
    CHUNK = "P"
    CATALOG = "C"
    HISTORY = "H"
    CERTIFICATE = "X"
    METAINFO = "M"


def key(name: str, kind: Kind) -> str:
    """Return the place of the object of hash `name` (40 hexadecimal digits) in the storage."""
    return f"data/{name[:2]}/{name[2:]}{kind}"


def parse_key(place: str) -> tuple[str, Kind] | None:
    """Return hash and kind of the object at `place`, None when no object can lie there."""
    match = _KEY.fullmatch(place)
    return (match[1] + match[2], Kind(match[3])) if match else None


def is_hash(text: str) -> bool:
    """Return whether `text` is a hash as it stands in manifests: SHA-1, without a tag of another algorithm."""
    return _HASH.fullmatch(text) is not None


def name_of(stored: bytes | bytearray) -> str:
    """Return the hash of stored bytes. SHA-1 is the format's; the inventory beside it is of SHA-256."""
    return digest(stored).hex()


def digest(stored: bytes | bytearray) -> bytes:
    """Return the same as 20 bytes."""
    return hashlib.sha1(stored, usedforsecurity=False).digest()


def put(storage: Storage, content: bytes, kind: Kind, deflate: Deflate) -> str:
    """Store `content` compressed and return its hash."""
    stored = deflate(content)
    name = name_of(stored)
    storage.write(key(name, kind), stored)
    return name


def get(storage: Reader, name: str, kind: Kind) -> bytes:
    """Return the content of an object; VerificationError when it is missing or not what its name says."""
    place = key(name, kind)
    stored = storage.read(place)
    if stored is None:
        raise VerificationError(f"the object {place} is missing", hint="`lode cvmfs check` names all that is broken")
    if name_of(stored) != name:
        raise VerificationError(f"the object {place} is damaged: its hash is {name_of(stored)}")
    return inflate(stored, place)


def inflate(stored: bytes, place: str) -> bytes:
    """Return what `stored` was before it was compressed; VerificationError when it is no zlib stream."""
    try:
        return zlib.decompress(stored)
    except zlib.error as error:
        raise VerificationError(f"the object {place} is not a zlib stream: {error}") from error
