"""Proving a tree against its inventory, where it is mounted or where a server offers it: every entry, every byte.

A mounted tree has the markers of nested catalogs, which no inventory lists; nothing else may be there. The files that
are read can be a sample: names, types, modes, sizes and targets are compared of all.
"""

from __future__ import annotations

import hashlib
import os
import random
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric import rsa

from lode import inventory
from lode.digest import Digest
from lode.errors import Fault, HostError, VerificationError
from lode.inventory import Entry, EntryType, printable
from lode.progress import Progress
from lode.publishing.cvmfs import catalog, layout, objects, trust
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.rows import LINK, MARKER, Nested, Row
from lode.publishing.cvmfs.storage import Reader

T = TypeVar("T")
Read = Callable[[Entry, T], Iterator[bytes]]

SHOWN = 10  # faults that are told

_TASK = "verify"
_BATCH = 64  # files that a thread reads at once
_AHEAD = 16  # batches that may wait
_PIECE = 1 << 20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What was compared with an inventory and found to be as it says."""

    entries: int
    files: int  # of which every byte was read
    size: int  # their bytes
    whole: bool  # all files were


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How much of a tree is read, and with how many threads."""

    jobs: int
    share: float = 1.0  # of the files, chosen anew each time
    dice: random.Random = field(default_factory=random.SystemRandom)


def mounted(root: Path, listed: Path, *, depth: Depth, progress: Progress) -> Proved:
    """Return how much of the tree at `root` is as the inventory at `listed`, which lies in it, says: all of it.

    VerificationError with the first faults.
    """
    base = os.fsencode(root)

    def read(entry: Entry, _: None) -> Iterator[bytes]:
        with open(os.open(os.path.join(base, os.fsencode(entry.path)), _OPEN), "rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                yield piece

    present = ((entry, None) for entry in _present(root, listed.relative_to(root).as_posix()))
    return _proved(root, listed, present, read, depth, progress)


def served(
    reader: Reader,
    name: str,
    public: rsa.RSAPublicKey,
    mount: str,
    own: str,
    *,
    depth: Depth,
    progress: Progress,
    scratch: Path,
) -> tuple[Proved, Digest]:
    """Return how much of the tree published at `mount` is as its inventory, the file `own` of it, says, and its digest.

    Everything is proved from the public key on, whether the whitelist has expired or not. VerificationError for the
    first link that does not hold, a tree that is not published, or the first faults of it. `scratch` is a folder.
    """
    chain = trust.chain(reader, name, public)
    if chain is None:
        raise VerificationError(f"nothing lies at the place of {name}")
    found = layout.find(reader, catalog.load(objects.get(reader, chain.manifest.root, Kind.CATALOG)), mount)
    if found is None:
        raise VerificationError(f"nothing is published at {mount} of {name}")
    place = f"{mount}/{own}".encode()
    row = next((row for row in _rows(reader, found) if row.path == place), None)
    if row is None:
        raise VerificationError(f"the tree at {mount} has no inventory {own}")
    listed = scratch / "inventory"
    listed.write_bytes(b"".join(_content(reader, row)))
    digest = Digest(hashlib.sha256(listed.read_bytes()).hexdigest())
    present = ((_listed(row, mount), row) for row in _rows(reader, found) if row.path != place)

    def read(_: Entry, row: Row) -> Iterator[bytes]:
        return _content(reader, row)

    return _proved(f"{name}{mount}", listed, present, read, depth, progress), digest


def _proved(
    where: object, listed: Path, present: Iterable[tuple[Entry, T]], read: Read[T], depth: Depth, progress: Progress
) -> Proved:
    progress.start(_TASK, unit="B")
    chosen = _Files(read, depth, progress)
    entries = 0
    faults: list[str] = []
    with chosen:
        for path, was, found in _both(inventory.read(listed), present):
            if was is None:
                faults.append(f"{printable(path)} is not in the inventory")
            elif found is None:
                faults.append(f"{printable(path)} is missing")
            elif wrong := _difference(was, found[0]):
                faults.append(f"{printable(path)} {wrong}")
            elif was.type is EntryType.FILE:
                chosen.add(was, found[1])
            entries += 1
            if len(faults) + len(chosen.faults) > SHOWN:
                break
    refuse(where, [*faults, *chosen.faults])
    progress.finish(_TASK, f"{chosen.read} files")
    return Proved(entries=entries, files=chosen.read, size=chosen.size, whole=chosen.read == chosen.seen)


def refuse(where: object, faults: Sequence[str]) -> None:
    """Raise VerificationError with the first of `faults` unless there are none."""
    if not faults:
        return
    told = [Fault(message=f"the tree is not as listed: {fault}") for fault in faults[:SHOWN]]
    more = f"more than {SHOWN}" if len(faults) > SHOWN else str(len(faults))
    hint = "take the tree again from where it was published; `lode cvmfs check` says whether that is whole"
    raise VerificationError.of([*told, Fault(message=f"{more} entries of {where} differ", hint=hint)])


class _Files(Generic[T]):
    """The files that are to be read, in threads, and what is wrong with them."""

    def __init__(self, read: Read[T], depth: Depth, progress: Progress) -> None:
        self._read, self._depth, self._progress = read, depth, progress
        self._pool = ThreadPoolExecutor(max_workers=depth.jobs, thread_name_prefix="verify")
        self._batch: list[tuple[Entry, T]] = []
        self._running: deque[Future[list[str]]] = deque()
        self.seen = self.read = self.size = 0
        self.faults: list[str] = []

    def __enter__(self) -> _Files[T]:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        try:
            if kind is None:
                self._send()
                while self._running:
                    self.faults += self._running.popleft().result()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def add(self, entry: Entry, source: T) -> None:
        """Read the file if it is among those chosen."""
        self.seen += 1
        if self._depth.share < 1 and self._depth.dice.random() >= self._depth.share:
            return
        self.read += 1
        self.size += entry.size
        self._batch.append((entry, source))
        if len(self._batch) == _BATCH:
            self._send()

    def _send(self) -> None:
        self._running.append(self._pool.submit(_examine, self._read, self._batch))
        self._progress.advance(_TASK, sum(entry.size for entry, _ in self._batch))
        self._batch = []
        if len(self._running) > _AHEAD:
            self.faults += self._running.popleft().result()


def _examine(read: Read[T], batch: Iterable[tuple[Entry, T]]) -> list[str]:
    faults = []
    for entry, source in batch:
        hashed, size = hashlib.sha256(), 0
        try:
            for piece in read(entry, source):
                hashed.update(piece)
                size += len(piece)
        except OSError as error:
            faults.append(f"{printable(entry.path)} cannot be read: {error.strerror}")
        except VerificationError as error:
            faults.append(f"{printable(entry.path)} cannot be read: {error.faults[0].message}")
        else:
            if (hashed.hexdigest(), size) != (entry.content, entry.size):
                faults.append(f"{printable(entry.path)} has another content")
    return faults


def _rows(reader: Reader, nested: Nested) -> Iterator[Row]:
    """Yield the rows of a tree in bytes order of the paths, each once and without markers and the tree's own."""
    found = catalog.load(objects.get(reader, nested.hash, Kind.CATALOG))
    below = deque(sorted(found.nested, key=lambda one: one.path + b"/"))
    for row in sorted(found.rows[1:], key=lambda row: row.path):
        while below and row.path > below[0].path + b"/":
            yield from _rows(reader, below.popleft())
        if row.name != MARKER:
            yield row
    for one in below:
        yield from _rows(reader, one)


def _listed(row: Row, mount: str) -> Entry:
    """Return the row as an inventory has it, a file's content unread."""
    path = os.fsdecode(row.path[len(mount) + 1 :])
    mode = stat.S_IMODE(row.mode)
    if row.is_folder:
        return Entry(path=path, type=EntryType.DIRECTORY, mode=mode, size=0, content="")
    if row.flags & LINK:
        target = os.fsdecode(row.target)
        return Entry(path=path, type=EntryType.SYMLINK, mode=0o777, size=len(row.target), content=target)
    return Entry(path=path, type=EntryType.FILE, mode=mode, size=row.size, content="")


def _content(reader: Reader, row: Row) -> Iterator[bytes]:
    """Yield the bytes of a file as its objects hold them; VerificationError for one that is missing or damaged."""
    if row.hash:
        yield objects.get(reader, row.hash, Kind.FILE)
    for chunk in row.chunks:
        yield objects.get(reader, chunk.hash, Kind.CHUNK)


def _both(
    listed: Iterable[Entry], present: Iterable[tuple[Entry, T]]
) -> Iterator[tuple[str, Entry | None, tuple[Entry, T] | None]]:
    """Yield each path with what is listed and what is present; both come in bytes order."""
    lefts, rights = iter(listed), iter(present)
    left, right = next(lefts, None), next(rights, None)
    while left is not None or right is not None:
        if right is None or (left is not None and os.fsencode(left.path) < os.fsencode(right[0].path)):
            if left is not None:
                yield left.path, left, None
            left = next(lefts, None)
        elif left is None or left.path != right[0].path:
            yield right[0].path, None, right
            right = next(rights, None)
        else:
            yield left.path, left, right
            left, right = next(lefts, None), next(rights, None)


def _difference(was: Entry, found: Entry) -> str | None:
    if was.type != found.type:
        return f"is a {found.type}, not a {was.type}"
    if was.mode != found.mode:
        return f"has the mode {found.mode:04o}, not {was.mode:04o}"
    if was.type is EntryType.SYMLINK and was.content != found.content:
        return f"points to {printable(found.content)}, not to {printable(was.content)}"
    if was.size != found.size:
        return f"has {found.size} bytes, not {was.size}"
    return None


def _present(root: Path, own: str) -> Iterator[Entry]:
    """Yield what is below `root` in bytes order of the paths, contents of files unread, without markers and `own`."""
    waiting: list[Iterator[tuple[bytes, bool]]] = [_names(os.fsencode(root), b"")]
    base = os.fsencode(root)
    while waiting:
        step = next(waiting[-1], None)
        if step is None:
            waiting.pop()
            continue
        path, inside = step
        if inside:
            waiting.append(_names(base, path))
            continue
        entry = _entry(base, path)
        if entry.path != own and not (path.rpartition(b"/")[2] == MARKER and entry.size == 0):
            yield entry


def _names(base: bytes, folder: bytes) -> Iterator[tuple[bytes, bool]]:
    """Return the paths in a folder in order, each sub-folder a second time at the place of what is inside it."""
    try:
        with os.scandir(os.path.join(base, folder)) as found:
            stem = folder + b"/" if folder else b""
            names = [
                (stem + item.name + mark, bool(mark))
                for item in found
                for mark in ((b"", b"/") if item.is_dir(follow_symlinks=False) else (b"",))
            ]
    except OSError as error:
        raise HostError(f"{os.fsdecode(os.path.join(base, folder))} cannot be read: {error.strerror}") from error
    return iter([(path.rstrip(b"/"), inside) for path, inside in sorted(names)])


def _entry(base: bytes, path: bytes) -> Entry:
    place = os.path.join(base, path)
    try:
        found = os.lstat(place)
        name, mode = os.fsdecode(path), stat.S_IMODE(found.st_mode)
        if stat.S_ISLNK(found.st_mode):
            target = os.fsdecode(os.readlink(place))
            return Entry(path=name, type=EntryType.SYMLINK, mode=0o777, size=len(os.fsencode(target)), content=target)
    except OSError as error:
        raise HostError(f"{os.fsdecode(place)} cannot be read: {error.strerror}") from error
    if stat.S_ISDIR(found.st_mode):
        return Entry(path=name, type=EntryType.DIRECTORY, mode=mode, size=0, content="")
    if not stat.S_ISREG(found.st_mode):
        raise VerificationError(f"{printable(name)} is neither file, folder nor link")
    return Entry(path=name, type=EntryType.FILE, mode=mode, size=found.st_size, content="")
