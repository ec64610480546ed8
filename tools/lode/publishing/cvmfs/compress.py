"""Deflating: the engines that a repository may choose from. Both write zlib streams; each has its own bytes."""

from __future__ import annotations

import base64
import hashlib
import zlib
from functools import partial

from lode.definitions.repository import Compression
from lode.publishing.cvmfs.objects import Deflate

_PROBE = base64.b64encode(b"".join(hashlib.sha256(bytes([number])).digest() for number in range(64)))
_PROBED = "a8f5bda69ad83e540e13cf7383a54c331e12d08e"  # SHA-1 of what the original zlib (1.2.8 to 1.3.1) makes of it


def deflate(compression: Compression) -> Deflate:
    """Return the function that compresses as the repository says; it releases the interpreter's lock while it works.

    `libdeflate` is the library that Lode brings along: the same content gives the same bytes on every processor. `zlib`
    is the host's: the original one gives the bytes of `cvmfs_server`, its drop-in replacements others.
    """
    if compression.engine == "zlib":
        return partial(zlib.compress, level=compression.level)
    from deflate import zlib_compress

    return partial(zlib_compress, compresslevel=compression.level)


def reference(content: bytes) -> bytes:
    """Return the stream that the reference makes of `content`: that of the original zlib at its default level.

    A Stratum 1 compresses certificate and meta information anew and stores them under the names that the manifest has
    for them (`swissknife_pull.cc` of CernVM-FS 2.11.5), so with any other bytes clients refuse what it serves.
    """
    return zlib.compress(content, 6)


def is_original() -> bool:
    """Return whether this Python's zlib is the original one: replacements such as zlib-ng write other bytes."""
    return hashlib.sha1(reference(_PROBE), usedforsecurity=False).hexdigest() == _PROBED
