"""Layers: part of a tree as a compressed tar file in a layout, with the digests of both forms taken in one pass.

What is written follows from the inventory's entries alone: sorted, owned by 0:0, of one given time, without extended
attributes and holes, which an inventory does not list either. Large files of the same content and mode within a layer
are hard links to the first of them, whatever they are on disk.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lode.digest import Digest
from lode.errors import PublicationError, VerificationError
from lode.inventory import Entry, EntryType, printable
from lode.publishing.oci import tarball
from lode.publishing.oci.compression import Method
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import Descriptor

PIECE_BYTES = 1 << 20  # of what is compressed at once; another value makes other bytes
LINKED_BYTES = 1 << 16  # from this size on, files of one content are stored once a layer; bounds what is remembered

_WHITEOUT = ".wh."  # begins the name of what a layer takes away (image specification, layer.md)
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer that lies in a layout."""

    blob: Descriptor
    diff_id: Digest  # of the tar file before it was compressed
    size: int  # bytes of that tar file


def write(
    layout: Layout,
    entries: Iterable[Entry],
    root: Path,
    *,
    at: bytes = b"",
    mtime: int,
    method: Method,
    advance: Callable[[int], None] = lambda _: None,
) -> Layer:
    """Return the layer of `entries` of the tree at `root`, which come in order and each after the folder it is in.

    `at` is where the tree lies in the image, relative, without a slash at its end. `advance` hears of bytes read.
    VerificationError when a file is not what its entry says; PublicationError for what no layer can hold.
    """
    with layout.new_blob() as blob:
        stream = _Stream(blob.write, method)
        for piece in _members(entries, root, at, mtime, stream, advance):
            stream.put(piece)
        stream.put(tarball.END)
        digest, diff_id, size, packed = stream.close()
        blob.commit(digest)
    return Layer(blob=Descriptor(media_type=method.media_type, digest=digest, size=packed), diff_id=diff_id, size=size)


def _members(
    entries: Iterable[Entry], root: Path, at: bytes, mtime: int, stream: _Stream, advance: Callable[[int], None]
) -> Iterator[bytes]:
    """Yield the headers; files' contents are put into the stream in between."""
    base = os.fsencode(root) + b"/"
    front = at + b"/" if at else b""
    seen: dict[tuple[str, int], bytes] = {}
    for entry in entries:
        path = entry.path.encode("utf-8", "surrogateescape")
        _refuse(entry)
        name = front + path
        if entry.type is EntryType.DIRECTORY:
            yield tarball.member(name + b"/", tarball.DIRECTORY, mode=entry.mode, mtime=mtime)
        elif entry.type is EntryType.SYMLINK:
            target = entry.content.encode("utf-8", "surrogateescape")
            yield tarball.member(name, tarball.SYMLINK, mode=entry.mode, mtime=mtime, link=target)
        else:
            if entry.size >= LINKED_BYTES:
                first = seen.setdefault((entry.content, entry.mode), name)
                if first is not name:
                    yield tarball.member(name, tarball.HARD_LINK, mode=entry.mode, mtime=mtime, link=first)
                    advance(entry.size)
                    continue
            yield tarball.member(name, tarball.FILE, mode=entry.mode, size=entry.size, mtime=mtime)
            _content(base + path, entry, stream)
            yield tarball.padding(entry.size)
            advance(entry.size)


def _refuse(entry: Entry) -> None:
    if entry.path.rpartition("/")[2].startswith(_WHITEOUT):
        raise PublicationError(
            f"no image can hold {printable(entry.path)}: names that begin with {_WHITEOUT} mean a removal there",
            hint="remove it in the `finish` step of the recipe that brings it",
        )
    if entry.mode & (stat.S_ISUID | stat.S_ISGID) and entry.type is EntryType.FILE:
        raise PublicationError(
            f"{printable(entry.path)} would run as another user (mode {entry.mode:04o}): images hold no such programs",
            hint="remove the set-user-id or set-group-id bit",
        )


def _content(path: bytes, entry: Entry, stream: _Stream) -> None:
    """Put a file's content into the stream, checked against the inventory."""
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        raise VerificationError(
            f"{printable(os.fsdecode(path))} is listed in the inventory, but cannot be read: {error.strerror}"
        ) from error
    try:
        found = os.fstat(descriptor)
        same = stat.S_ISREG(found.st_mode) and found.st_size == entry.size
        if not same or stream.take(descriptor, entry.size) != entry.content:
            raise VerificationError(
                f"{printable(os.fsdecode(path))} is not what the inventory says: it was changed after it was installed",
                hint="install the prefix again",
            )
    finally:
        os.close(descriptor)


class _Stream:
    """A tar file that is hashed, compressed, hashed again and written in pieces of one length."""

    def __init__(self, write: Callable[[bytes], None], method: Method) -> None:
        self._write = write
        self._compressor = method.start()
        self._buffer = memoryview(bytearray(PIECE_BYTES))
        self._used = 0
        self._diff, self._packed = hashlib.sha256(), hashlib.sha256()
        self._size = self._packed_size = 0

    def put(self, piece: bytes) -> None:
        """Add a piece."""
        used, length = self._used, len(piece)
        if used + length < PIECE_BYTES:
            self._buffer[used : used + length] = piece
            self._used = used + length
            return
        left = memoryview(piece)
        while left:
            room = min(PIECE_BYTES - self._used, len(left))
            self._buffer[self._used : self._used + room] = left[:room]
            self._used += room
            left = left[room:]
            if self._used == PIECE_BYTES:
                self._flush()

    def take(self, descriptor: int, size: int) -> str:
        """Add `size` bytes of an open file and return their sha256; fewer when the file is shorter."""
        hashed = hashlib.sha256()
        while size:
            piece = self._buffer[self._used : self._used + size]
            read = os.readv(descriptor, [piece])
            if not read:
                break
            hashed.update(piece[:read])
            self._used += read
            size -= read
            if self._used == PIECE_BYTES:
                self._flush()
        return hashed.hexdigest()

    def close(self) -> tuple[Digest, Digest, int, int]:
        """Write the rest; return digest and digest of what was compressed, its length and the length written."""
        if self._used:
            self._flush()
        self._out(self._compressor.flush())
        return Digest(self._packed.hexdigest()), Digest(self._diff.hexdigest()), self._size, self._packed_size

    def _flush(self) -> None:
        piece = self._buffer[: self._used]
        self._diff.update(piece)
        self._size += self._used
        self._out(self._compressor.compress(piece))
        self._used = 0

    def _out(self, packed: bytes) -> None:
        if packed:
            self._packed.update(packed)
            self._packed_size += len(packed)
            self._write(packed)
