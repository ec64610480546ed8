r"""Inventories: what a tree holds, entry by entry, and the digest that names the tree.

An inventory is a sorted list of entries. Its file form is one canonical JSON array per line,
`["lib/libz.so.1","file","0755",121280,"<sha256>"]`, so that a tree of a million files streams; its digest is the
SHA-256 of that file. Owners and times are left out: they do not survive an installation, and a tree's identity must.
Hard links are files like any other. Bytes of a name that are not UTF-8 are held as surrogates (PEP 383) and written
as `\udcxx`, whatever the locale.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
import tempfile
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from lode.digest import Digest
from lode.errors import HostError, LodeError, Place, VerificationError

_SMALL_BYTES = 128 * 1024  # below, a thread costs more than it gains
_AHEAD = 4096  # entries that may wait for a large file in front of them
_BELOW = "below"
_SLASH = ord("/")
_SPECIAL = {
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
    stat.S_IFIFO: "a fifo",
    stat.S_IFSOCK: "a socket",
}
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# What `write` makes of a file whose name needs no escape: most lines of an inventory, which are read without JSON.
_PLAIN = re.compile(
    rb'\["([^"\\\x00-\x1f\x7f-\xff]+)","file","(0[0-7]{3}|[1-7][0-7]{3})",(0|[1-9][0-9]{0,18}),"([0-9a-f]{64})"\]\n'
)

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class EntryType(StrEnum):
    """What an entry is; anything else (devices, sockets, fifos) is refused."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: its path relative to the tree, `/`-separated, in bytes order; `.` is not listed."""

    path: str  # undecodable bytes are kept as surrogates (os.fsdecode)
    type: EntryType
    mode: int  # permission bits only, 0o755; set-user-id, set-group-id and sticky among them; 0o777 for links
    size: int  # bytes; 0 for directories; length of the target for links
    content: str  # sha256 of a file, target of a link, empty for a directory


class Change(StrEnum):
    """How two trees differ at a path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One path at which two trees differ; `left` is None when it was added, `right` when it was removed."""

    left: Entry | None
    right: Entry | None

    @property
    def path(self) -> str:
        """Return the path at which they differ."""
        entry = self.left or self.right
        if entry is None:
            raise ValueError("a difference has at least one side")
        return entry.path

    @property
    def change(self) -> Change:
        """Return whether the right tree has the path in addition, not at all, or differently."""
        if self.left is None:
            return Change.ADDED
        return Change.REMOVED if self.right is None else Change.CHANGED

    @property
    def aspects(self) -> tuple[str, ...]:
        """Return what changed, of "type", "mode", "content" (of files) and "target" (of links); empty if not both."""
        left, right = self.left, self.right
        if left is None or right is None:
            return ()
        if left.type != right.type:
            return ("type",)
        mode = ("mode",) if left.mode != right.mode else ()
        if left.content == right.content:
            return mode
        return (*mode, "target" if left.type is EntryType.SYMLINK else "content")

    def __str__(self) -> str:
        """Return the difference as it is printed: `changed  lib/libz.so.1 (mode, content)`."""
        aspects = f" ({', '.join(self.aspects)})" if self.aspects else ""
        return f"{self.change:<8} {printable(self.path)}{aspects}"


def printable(path: str) -> str:
    """Return `path` with all that could confuse a terminal or a log written as escapes."""
    return path if path.isprintable() else json.dumps(path)[1:-1]


def scan(root: Path, *, exclude: Collection[str] = (), jobs: int = 2) -> Iterator[Entry]:
    """Yield the entries of the tree at `root` in bytes order of their paths, hashing large files in `jobs` threads.

    Paths in `exclude` are left out with all that is below them. Links are not followed, but `root` itself may be one.
    Memory does not grow with the tree, only with its largest folder. VerificationError for a device, socket or fifo,
    and for a file or folder that changes while it is read; HostError for one that may not be read.
    """
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="inventory") as pool:
        yield from _in_order(_walk(root, {_bytes(path) for path in exclude}, pool), ahead=2 * jobs)


def write(entries: Iterable[Entry], path: Path) -> Digest:
    """Write an inventory file and return its digest; the file is replaced at once when all entries have come.

    ValueError unless the entries come in strictly ascending bytes order of their paths.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        hashed = hashlib.sha256()
        with os.fdopen(handle, "wb", buffering=1 << 20) as file:
            for line in _lines(entries):
                hashed.update(line)
                file.write(line)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    return Digest(hashed.hexdigest())


def digest(entries: Iterable[Entry]) -> Digest:
    """Return the digest that `write` would return for `entries`; ValueError unless they are in order."""
    hashed = hashlib.sha256()
    for line in _lines(entries):
        hashed.update(line)
    return Digest(hashed.hexdigest())


def read(path: Path) -> Iterator[Entry]:
    """Yield the entries of the inventory file at `path`.

    VerificationError with file and line for anything that `write` would not have written: so the digest of the file is
    the digest of its entries, and no entry can point out of the tree.
    """
    last = b""
    with _open_inventory(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                entry, key = _entry(line)
                if key <= last:
                    raise ValueError(f"{printable(entry.path)} is out of order")
            except (ValueError, TypeError, RecursionError) as error:
                raise VerificationError(
                    f"not a line of an inventory: {error}",
                    place=Place(file=str(path), line=number, column=1),
                    hint="the file was cut or edited; take it again from where the tree came from",
                ) from error
            last = key
            yield entry


def compare(left: Iterable[Entry], right: Iterable[Entry]) -> Iterator[Difference]:
    """Yield what differs from `left` to `right` in order of path; both must be in order, and neither is held."""
    lefts, rights = iter(left), iter(right)
    ours, theirs = next(lefts, None), next(rights, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and _bytes(ours.path) < _bytes(theirs.path)):
            yield Difference(left=ours, right=None)
            ours = next(lefts, None)
        elif ours is None or _bytes(theirs.path) < _bytes(ours.path):
            yield Difference(left=None, right=theirs)
            theirs = next(rights, None)
        else:
            if ours != theirs:
                yield Difference(left=ours, right=theirs)
            ours, theirs = next(lefts, None), next(rights, None)


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _line(entry: Entry) -> bytes:
    fields = [entry.path, str(entry.type), f"{entry.mode:04o}", entry.size, entry.content]
    return f"{_dumps(fields)}\n".encode("utf-8", "backslashreplace")  # a surrogate becomes its own JSON escape, \udcxx


def _lines(entries: Iterable[Entry]) -> Iterator[bytes]:
    last = b""
    for entry in entries:
        key = _bytes(entry.path)
        if key <= last:
            raise ValueError(f"entries out of order: {entry.path!r} after {_text(last)!r}")
        last = key
        yield _line(entry)


def _entry(line: bytes) -> tuple[Entry, bytes]:
    """Return the entry of a line, and its path in bytes."""
    plain = _PLAIN.fullmatch(line)
    if plain is None or b"/." in line or b"//" in line:
        return _any_entry(line)
    path, mode, size, content = plain.groups()
    if path[0] in b"./" or path[-1] == _SLASH:
        return _any_entry(line)
    entry = Entry(path=path.decode(), type=EntryType.FILE, mode=int(mode, 8), size=int(size), content=content.decode())
    return entry, path


def _any_entry(line: bytes) -> tuple[Entry, bytes]:
    fields = json.loads(line)
    if not isinstance(fields, list) or len(fields) != 5:
        raise ValueError("it has not five fields")
    path, kind, mode, size, content = fields
    entry = Entry(path=path, type=EntryType(kind), mode=int(mode, 8), size=size, content=content)
    if _line(entry) != line:
        raise ValueError("it is not in canonical form")
    if any(part in ("", ".", "..") for part in path.split("/")) or "\0" in path:
        raise ValueError(f"{printable(path)} is not a path inside a tree")
    match entry.type:
        case EntryType.FILE:
            Digest(content)
        case EntryType.DIRECTORY if content or size:
            raise ValueError(f"{printable(path)} is a folder with content")
        case EntryType.SYMLINK if size != len(_bytes(content)):
            raise ValueError(f"{printable(path)} is a link of another length than its target")
    return entry, _bytes(path)


def _open_inventory(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=1 << 20)
    except OSError as error:
        raise VerificationError(f"the inventory {path} cannot be read: {error.strerror}") from error


def _in_order(items: Iterable[Entry | Future[Entry]], *, ahead: int) -> Iterator[Entry]:
    """Yield the entries in the order of `items` while at most `ahead` of the unfinished ones are being worked on."""
    waiting: deque[Entry | Future[Entry]] = deque()
    unfinished = 0
    for item in items:
        waiting.append(item)
        unfinished += isinstance(item, Future)
        while waiting:
            first = waiting[0]
            if isinstance(first, Future):
                if not first.done() and unfinished <= ahead and len(waiting) <= _AHEAD:
                    break
                unfinished -= 1
                first = first.result()
            waiting.popleft()
            yield first
    for item in waiting:
        yield item.result() if isinstance(item, Future) else item


def _walk(root: Path, excluded: Set[bytes], pool: ThreadPoolExecutor) -> Iterator[Entry | Future[Entry]]:
    """Yield the entries below `root` in order (`a`, `a-b`, then all below `a/`, then `a0`), large files as futures."""
    try:
        levels = [_level(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), b"")]
    except OSError as error:
        raise HostError(f"the tree {root} cannot be read: {error.strerror}") from error
    try:
        while levels:
            level = levels[-1]
            name, kind = next(level.names, (b"", ""))
            if not name:
                os.close(levels.pop().folder)
                continue
            path = level.stem + name
            if path.rstrip(b"/") in excluded:
                continue
            try:
                if kind == _BELOW:
                    levels.append(_level(os.open(name[:-1], _OPEN | os.O_DIRECTORY, dir_fd=level.folder), path))
                    continue
                item = _look(level.folder, name, kind, path, pool)
            except OSError as error:
                raise _trouble(path, error) from error
            yield item
    finally:
        for level in levels:
            os.close(level.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    folder: int  # an open folder
    stem: bytes  # its path with a slash behind, or nothing for the root
    names: Iterator[tuple[bytes, str]]  # name and kind; a folder comes twice, the second time as `name/` and _BELOW


def _level(folder: int, stem: bytes) -> _Level:
    names: list[tuple[bytes, str]] = []
    with os.scandir(folder) as found:
        for item in found:
            name = os.fsencode(item.name)
            if item.is_file(follow_symlinks=False):
                names.append((name, EntryType.FILE))
            elif item.is_symlink():
                names.append((name, EntryType.SYMLINK))
            elif item.is_dir(follow_symlinks=False):
                names += [(name, EntryType.DIRECTORY), (name + b"/", _BELOW)]
            else:
                names.append((name, ""))
    names.sort()
    return _Level(folder=folder, stem=stem, names=iter(names))


def _look(folder: int, name: bytes, kind: str, path: bytes, pool: ThreadPoolExecutor) -> Entry | Future[Entry]:
    match kind:
        case EntryType.FILE:
            file = os.open(name, _OPEN, dir_fd=folder)
            status = os.fstat(file)
            if status.st_size <= _SMALL_BYTES:
                return _hashed(file, status, path)
            return pool.submit(_hashed, file, status, path)
        case EntryType.SYMLINK:
            target = os.readlink(name, dir_fd=folder)
            return Entry(path=_text(path), type=EntryType.SYMLINK, mode=0o777, size=len(target), content=_text(target))
        case EntryType.DIRECTORY:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            mode = stat.S_IMODE(status.st_mode)
            return Entry(path=_text(path), type=EntryType.DIRECTORY, mode=mode, size=0, content="")
        case _:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            what = _SPECIAL.get(stat.S_IFMT(status.st_mode), "neither file, folder nor link")
            raise VerificationError(
                f"{printable(_text(path))} is {what}",
                hint="a tree holds files, folders and links only; remove it and try again",
            )


def _hashed(file: int, status: os.stat_result, path: bytes) -> Entry:
    """Return the entry of the open `file`, and close it; VerificationError if it is not read as `status` says."""
    try:
        if status.st_size <= _SMALL_BYTES:
            content = os.read(file, status.st_size + 1)
            size, hashed = len(content), hashlib.sha256(content)
        else:
            with open(file, "rb", buffering=0, closefd=False) as reader:
                hashed = hashlib.file_digest(reader, "sha256")
                size = reader.tell()
        after = os.fstat(file)
        steady = (after.st_size, after.st_mtime_ns) == (status.st_size, status.st_mtime_ns)
        if not stat.S_ISREG(after.st_mode) or size != status.st_size or not steady:
            raise _changed(path)
        mode = stat.S_IMODE(status.st_mode)
        return Entry(path=_text(path), type=EntryType.FILE, mode=mode, size=size, content=hashed.hexdigest())
    except OSError as error:
        raise _trouble(path, error) from error
    finally:
        os.close(file)


def _trouble(path: bytes, error: OSError) -> LodeError:
    if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ENXIO):
        return _changed(path)
    return HostError(f"{printable(_text(path))} cannot be read: {error.strerror}")


def _changed(path: bytes) -> VerificationError:
    return VerificationError(
        f"{printable(_text(path))} changed while it was read",
        hint="something else is writing to the tree; wait until it has ended and try again",
    )
