"""Reading archives member by member, whatever their form, within limits: tar (plain, gz, bz2, xz, zst), zip and wheels.

The form is told by the first bytes, not by the name. Only one member is open at a time and none is held in memory.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import zstandard

_CHUNK = 1 << 20
_TAR_MAGIC = 257  # where "ustar" stands (POSIX.1-2017, pax, ustar header block)
_BROKEN = (EOFError, OSError, lzma.LZMAError, zlib.error, zstandard.ZstdError, tarfile.TarError, zipfile.BadZipFile)
# what the libraries raise at nonsense, beside the errors made for it: methods, passwords, numbers, dates
_UNREADABLE = (*_BROKEN, ArithmeticError, LookupError, NotImplementedError, RuntimeError, ValueError, struct.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much an archive may unpack to."""

    size_bytes: int = 32 * 2**30
    members: int = 1_000_000
    ratio: int = 250  # unpacked to packed, beyond `free_bytes`
    free_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An entry of an archive. `content` yields a file's bytes, once, before the next member is asked for."""

    name: str  # as the archive says it, undecodable bytes as surrogates
    kind: str  # "file", "folder", "link", "hard link"
    executable: bool = False
    target: str = ""  # of a link
    content: Callable[[], Iterator[bytes]] = field(default=lambda: iter(()), compare=False)


class Unsound(Exception):
    """Why an archive is refused, with the member's name when it is one member's fault."""

    def __init__(self, reason: str, member: str | None = None) -> None:
        super().__init__(reason if member is None else f"its member {member!r} {reason}")


def is_archive(file: IO[bytes]) -> bool:
    """Return whether `file` begins as an archive that `members` can read; its position is set back."""
    return _form(file) is not None


def members(file: IO[bytes], limits: Limits) -> Iterator[Member]:
    """Yield the members in the archive's order; Unsound for what is no archive, broken, or beyond `limits`."""
    form = _form(file)
    if form is None:
        raise Unsound("it is neither a tar nor a zip archive")
    budget = _Budget(limits, _packed_size(file))
    yield from _zip_members(file, budget) if form == "zip" else _tar_members(_unpacked(file, form), budget)


class _Budget:
    """Counts members and bytes against the limits."""

    def __init__(self, limits: Limits, packed: int) -> None:
        self._limits, self._packed = limits, packed
        self._members = self._bytes = 0

    def member(self, name: str, size: int) -> None:
        self._members += 1
        if self._members > self._limits.members:
            raise Unsound(f"it has more than {self._limits.members} members")
        if size > self._limits.size_bytes:
            raise Unsound(f"has {size} bytes; {self._limits.size_bytes} are allowed for the whole archive", name)

    def spend(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._limits.size_bytes:
            raise Unsound(f"it unpacks to more than {self._limits.size_bytes} bytes")
        if self._bytes > self._limits.free_bytes and self._bytes > self._packed * self._limits.ratio:
            raise Unsound(f"its {self._packed} bytes unpack to more than {self._limits.ratio} times as many")


def _form(file: IO[bytes]) -> str | None:
    file.seek(0)
    start = file.read(_TAR_MAGIC + 5)
    file.seek(0)
    for magic, form in ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zst")):
        if start.startswith(magic):
            return form
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    return "tar" if start[_TAR_MAGIC:] == b"ustar" else None


def _packed_size(file: IO[bytes]) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _unpacked(file: IO[bytes], form: str) -> IO[bytes]:
    if form == "zst":
        reader: IO[bytes] = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(
            file, read_across_frames=True, closefd=False
        )
        return reader
    openers: dict[str, Callable[[Any], Any]] = {
        "gz": lambda file: gzip.GzipFile(fileobj=file),
        "bz2": bz2.BZ2File,
        "xz": lzma.LZMAFile,
        "tar": lambda file: file,
    }
    opened: IO[bytes] = openers[form](file)
    return opened


class _Forward:
    """A stream for tarfile: counts what is read, seeks forward by reading, and keeps the last block that was read."""

    def __init__(self, stream: IO[bytes], budget: _Budget) -> None:
        self._stream, self._budget = stream, budget
        self._position = 0
        self.last = b""

    def read(self, size: int) -> bytes:
        blocks = []
        while size > 0 and (block := self._stream.read(min(size, _CHUNK))):
            self._position += len(block)
            self._budget.spend(len(block))
            blocks.append(block)
            size -= len(block)
        self.last = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        return self.last

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        while self._position < position and self.read(min(position - self._position, _CHUNK)):
            pass
        return self._position


def _tar_members(stream: IO[bytes], budget: _Budget) -> Iterator[Member]:
    forward = _Forward(stream, budget)
    name: str | None = None
    try:
        tar = tarfile.TarFile(fileobj=forward, mode="r", encoding="utf-8", errors="surrogateescape")  # type: ignore[arg-type]
        while (info := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]
            name = info.name
            budget.member(name, info.size)
            if info.issparse():
                budget.spend(info.size)  # its holes are not read from the archive
            yield _tar_member(tar, info)
    except _UNREADABLE as error:
        raise _cut(name, error) from error
    # tarfile takes a header that it cannot read for the end (TarFile.next): only a block of zeros is the end
    if len(forward.last) != tarfile.BLOCKSIZE or forward.last.count(0) != tarfile.BLOCKSIZE:
        raise _cut(name, None)


def _tar_member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if info.isdir():
        return Member(name=info.name, kind="folder")
    if info.issym():
        return Member(name=info.name, kind="link", target=info.linkname)
    if info.islnk():
        return Member(name=info.name, kind="hard link", target=info.linkname)
    if not info.isreg():
        raise Unsound("is neither a file, a folder nor a link", info.name)

    def content() -> Iterator[bytes]:
        file = tar.extractfile(info)
        assert file is not None
        return _pieces(file, info.name, info.size)

    return Member(name=info.name, kind="file", executable=bool(info.mode & 0o111), content=content)


def _zip_members(file: IO[bytes], budget: _Budget) -> Iterator[Member]:
    name: str | None = None
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                name = info.filename
                budget.member(name, info.file_size)
                yield _zip_member(archive, info, budget)
    except _UNREADABLE as error:
        raise _cut(name, error) from error


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> Member:
    mode = info.external_attr >> 16 if info.create_system == 3 else 0  # 3: made on Unix (APPNOTE.TXT, 4.4.2)
    kind = stat.S_IFMT(mode)
    if info.is_dir():
        return Member(name=info.filename, kind="folder")
    if kind not in (0, stat.S_IFREG, stat.S_IFLNK):
        raise Unsound("is neither a file, a folder nor a link", info.filename)
    if kind == stat.S_IFLNK:
        if info.file_size > 4096:
            raise Unsound("is a link with a target of more than 4096 bytes", info.filename)
        budget.spend(info.file_size)
        return Member(name=info.filename, kind="link", target=archive.read(info).decode(errors="surrogateescape"))

    def content() -> Iterator[bytes]:
        try:
            stream = archive.open(info)
        except _UNREADABLE as error:
            raise Unsound(f"cannot be read ({error})", info.filename) from error
        for chunk in _pieces(stream, info.filename, info.file_size):
            budget.spend(len(chunk))
            yield chunk

    return Member(name=info.filename, kind="file", executable=bool(mode & 0o111), content=content)


def _pieces(file: IO[bytes], name: str, size: int) -> Iterator[bytes]:
    """Yield the content of the member `name`; Unsound when there is less than `size` bytes of it, or it is damaged."""
    left = size
    while True:
        try:
            chunk = file.read(_CHUNK)
        except _UNREADABLE as error:
            raise Unsound(f"is cut off or damaged ({error})", name) from error
        if not chunk:
            break
        left -= len(chunk)
        yield chunk
    if left:
        raise Unsound("is cut off", name)


def _cut(name: str | None, error: Exception | None) -> Unsound:
    """Return that the archive ends too early or is damaged, and after which member."""
    where = "before its first member" if name is None else f"at or after its member {name!r}"
    return Unsound(f"it is cut off or damaged {where}{f' ({error})' if error and str(error) else ''}")
