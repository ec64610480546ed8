"""Reading the tar file of a layer: its members with their contents' hashes, in one pass, without holding it.

Read are ustar with its prefix, GNU long names and sizes, and pax records of path, linkpath and size: what this
project, Docker, buildah and umoci write. Anything else in a layer is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from lode.errors import VerificationError
from lode.publishing.oci import tarball
from lode.publishing.oci.tarball import BLOCK

_ZERO = bytes(BLOCK)
_LONGEST_NAME = 1 << 20  # bytes of a pax or GNU record: no path is longer
_PAX, _GLOBAL_PAX, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_FILES = (tarball.FILE, b"\0", b"7")
_KINDS = (tarball.HARD_LINK, tarball.SYMLINK, tarball.DIRECTORY, b"3", b"4", b"6", *_FILES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a tar file."""

    name: bytes  # relative, without `./` before and a slash behind
    kind: bytes  # FILE for all forms of files
    mode: int
    size: int
    link: bytes
    sha256: str  # of a file's content, if it was wanted


def read(
    pieces: Iterator[bytes], wanted: Callable[[bytes], bool], sink: Callable[[bytes], IO[bytes] | None] = lambda _: None
) -> Iterator[Member]:
    """Yield the members of the tar file that comes in `pieces`, which are read to their end.

    The contents of files that are `wanted` by name are hashed, and written to what `sink` returns for them.
    VerificationError for what is no tar file that we read.
    """
    stream = _Stream(pieces)
    longer: dict[str, bytes] = {}
    while True:
        header = stream.take(BLOCK)
        if len(header) < BLOCK or header == _ZERO:
            break
        kind, size = header[156:157], _number(header[124:136])
        if kind in (_LONG_NAME, _LONG_LINK, _PAX, _GLOBAL_PAX):
            if size > _LONGEST_NAME:
                raise VerificationError("a layer has a name that is too long")
            content = stream.take(size)
            stream.skip(-size % BLOCK)
            longer |= _longer(kind, content)
            continue
        size = int(longer["size"]) if "size" in longer else size
        yield _member(header, kind, size, longer, stream, wanted, sink)
        longer = {}
    stream.drain()


def _member(
    header: bytes,
    kind: bytes,
    size: int,
    longer: dict[str, bytes],
    stream: _Stream,
    wanted: Callable[[bytes], bool],
    sink: Callable[[bytes], IO[bytes] | None],
) -> Member:
    if _number(header[148:156]) != sum(header[:148]) + 8 * 32 + sum(header[156:]) or kind not in _KINDS:
        raise VerificationError("a layer is not a tar file of a form that is read here")
    name = longer.get("path") or _name(header)
    while name.startswith((b"./", b"/")):
        name = name.partition(b"/")[2]
    name = name.rstrip(b"/")
    sha256 = ""
    if kind not in _FILES:
        size = 0
    elif wanted(name):
        sha256 = stream.hash(size, sink(name))
        stream.skip(-size % BLOCK)
    else:
        stream.skip(size + -size % BLOCK)
    return Member(
        name=b"" if name == b"." else name,
        kind=tarball.FILE if kind in _FILES else kind,
        mode=_number(header[100:108]) & 0o7777,
        size=size,
        link=longer.get("linkpath") or header[157:257].rstrip(b"\0"),
        sha256=sha256,
    )


class _Stream:
    """What is left of a stream of pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")

    def _more(self) -> bool:
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._piece = memoryview(piece)
        return True

    def _parts(self, size: int) -> Iterator[memoryview]:
        """Yield the next `size` bytes as they lie there; VerificationError when the stream ends before."""
        while size:
            if not self._more():
                raise VerificationError("a layer ends in the middle of a file")
            part = self._piece[:size]
            self._piece = self._piece[size:]
            size -= len(part)
            yield part

    def take(self, size: int) -> bytes:
        if not self._more():
            return b""
        if len(self._piece) >= size:
            taken = bytes(self._piece[:size])
            self._piece = self._piece[size:]
            return taken
        return b"".join(self._parts(size))

    def skip(self, size: int) -> None:
        for _ in self._parts(size):
            pass

    def hash(self, size: int, sink: IO[bytes] | None) -> str:
        hashed = hashlib.sha256()
        for part in self._parts(size):
            hashed.update(part)
            if sink is not None:
                sink.write(part)
        return hashed.hexdigest()

    def drain(self) -> None:
        """Read the rest, which must be empty blocks."""
        while self._more():
            if bytes(self._piece).strip(b"\0"):
                raise VerificationError("a layer has something behind its end")
            self._piece = memoryview(b"")


def _name(header: bytes) -> bytes:
    name = header[:100].rstrip(b"\0")
    prefix = header[345:500].rstrip(b"\0") if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _number(field: bytes) -> int:
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    text = field.strip(b" \0")
    try:
        return int(text, 8) if text else 0
    except ValueError as error:
        raise VerificationError(f"a layer has a header with the number {text!r}") from error


def _longer(kind: bytes, content: bytes) -> dict[str, bytes]:
    """Return what a GNU or pax record says about the next member; global records say nothing that is needed."""
    if kind in (_LONG_NAME, _LONG_LINK):
        return {"path" if kind == _LONG_NAME else "linkpath": content.rstrip(b"\0")}
    found: dict[str, bytes] = {}
    while content:
        length, _, rest = content.partition(b" ")
        try:
            end = int(length) - len(length) - 1
            key, equals, value = rest[:end].partition(b"=")
            if end < 2 or not equals or value[-1:] != b"\n":
                raise ValueError(length)
        except ValueError as error:
            raise VerificationError("a layer has a pax record that is damaged") from error
        if key in (b"path", b"linkpath", b"size") and kind == _PAX:
            found[key.decode()] = value[:-1]
        if key.startswith(b"GNU.sparse"):
            raise VerificationError("a layer has a sparse file, whose content is not told by its bytes")
        content = rest[end:]
    return found
