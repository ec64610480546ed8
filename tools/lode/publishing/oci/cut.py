"""Which layer of an image holds which entries of a prefix, so that a change of one package changes one layer.

Each package has a layer of its own as long as there is room; of more packages, the largest have, and the others share
layers that are chosen by their names, so that a package's coming or going moves no other. What no package brought
(activation, tests, lock, inventory) is the last layer. Memory does not grow with the tree: the entries wait in a file.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lode.errors import VerificationError
from lode.inventory import Entry, EntryType

REST = ""  # the "package" of what no package brought
SHARED = 16  # how many layers the small packages share when there are too many for one each
_WAITING = 512  # entries of a package that wait in memory

Owned = Iterable[tuple[bytes, str]]  # path and package, in bytes order of the paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is in one layer."""

    packages: tuple[str, ...]  # in the order given; (REST,) for the last layer
    size: int  # bytes of the files


class Spool:
    """The entries of a tree by package, in an unnamed file; each entry comes after the folders it lies in."""

    def __init__(self, folder: Path) -> None:
        """Make an empty one, its file in `folder`."""
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self._extents: dict[str, list[tuple[int, int]]] = {}
        self._waiting: dict[str, list[Entry]] = {}
        self._end = 0
        self._lock = threading.Lock()
        self.sizes: dict[str, int] = {}

    def __enter__(self) -> Spool:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the file."""
        self._file.close()

    def add(self, package: str, entry: Entry) -> None:
        """Add an entry of a package; each package may have a thread of its own."""
        waiting = self._waiting.setdefault(package, [])
        waiting.append(entry)
        size = entry.size if entry.type is EntryType.FILE else 0
        self.sizes[package] = self.sizes.get(package, 0) + size
        if len(waiting) >= _WAITING:
            self._write(package)

    def entries(self, packages: Sequence[str]) -> Iterator[Entry]:
        """Yield the entries of `packages`, files in bytes order of their paths, each after the folders it lies in."""
        if len(packages) == 1:
            yield from (entry for _, entry in self._read(packages[0]))
            return
        folders: set[str] = set()  # several packages have them
        for _, entry in heapq.merge(*map(self._read, packages), key=lambda pair: pair[0]):
            if entry.type is EntryType.DIRECTORY:
                if entry.path in folders:
                    continue
                folders.add(entry.path)
            yield entry

    def _write(self, package: str) -> None:
        rows = [(one.path, str(one.type), one.mode, one.size, one.content) for one in self._waiting.pop(package, ())]
        content = json.dumps(rows).encode()
        with self._lock:
            self._file.seek(self._end)
            self._file.write(content)
            self._extents.setdefault(package, []).append((self._end, len(content)))
            self._end += len(content)

    def seal(self) -> None:
        """Write what waits: nothing is added from now on, and threads may read."""
        for package in tuple(self._waiting):
            self._write(package)
        self._file.flush()

    def _read(self, package: str) -> Iterator[tuple[bytes, Entry]]:
        for offset, length in self._extents.get(package, ()):
            for path, kind, mode, size, content in json.loads(os.pread(self._file.fileno(), length, offset)):
                yield (
                    path.encode("utf-8", "surrogateescape"),
                    Entry(path=path, type=EntryType(kind), mode=mode, size=size, content=content),
                )


def spool(entries: Iterable[Entry], owned: Owned, into: Spool) -> None:
    """Put `entries`, in order, into the spool by the package that brought them; folders go with what is in them.

    A folder that holds nothing, and a file of no package, belong to the rest.
    """
    owners = iter(owned)
    owner = next(owners, None)
    folders: dict[str, _Folder] = {}
    for entry in entries:
        path = entry.path.encode("utf-8", "surrogateescape")
        if entry.type is EntryType.DIRECTORY:
            for name in [name for name, folder in reversed(folders.items()) if folder.end <= path]:
                _leave(folders, name, into)
            folders[entry.path] = _Folder(entry=entry, end=path + b"0", given=set())
            continue
        while owner is not None and owner[0] < path:
            owner = next(owners, None)
        package = owner[1] if owner is not None and owner[0] == path else REST
        _give(folders, entry.path, package, into)
        into.add(package, entry)
    for name in tuple(reversed(folders)):
        _leave(folders, name, into)
    into.seal()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    entry: Entry
    end: bytes  # the first path in bytes order that is behind all that lies in the folder
    given: set[str]  # packages that have the folder already


def _give(folders: Mapping[str, _Folder], path: str, package: str, into: Spool) -> None:
    """Add the folders above `path` to those of the package, the topmost first, unless it has them."""
    missing = []
    while "/" in path:
        path = path.rpartition("/")[0]
        folder = folders.get(path)
        if folder is None:
            raise VerificationError(f"the inventory lists what is in {path}, but not {path}")
        if package in folder.given:
            break
        missing.append(folder)
    for folder in reversed(missing):
        folder.given.add(package)
        into.add(package, folder.entry)


def _leave(folders: dict[str, _Folder], name: str, into: Spool) -> None:
    folder = folders.pop(name)
    if not folder.given:
        _give(folders, name, REST, into)
        into.add(REST, folder.entry)


def parts(sizes: Mapping[str, int], order: Sequence[str], room: int) -> tuple[Part, ...]:
    """Return at most `room` parts of the packages in `sizes`, in the order of `order`; the rest comes last.

    Packages that `order` does not name come by name after those that it names. ValueError for less room than SHARED
    and two.
    """
    if room < SHARED + 2:
        raise ValueError(f"no cut into {room} layers")
    named = {package: number for number, package in enumerate(order)}
    packages = sorted(
        (package for package in sizes if package != REST),
        key=lambda package: (named.get(package, len(named)), package),
    )
    room -= 1  # for the rest
    alone = set(packages)
    if len(packages) > room:
        largest = sorted(packages, key=lambda package: (-sizes[package], package))
        alone = set(largest[: room - SHARED])
    shared: dict[int, list[str]] = {}
    for package in packages:
        if package not in alone:
            shared.setdefault(hashlib.sha256(package.encode()).digest()[0] % SHARED, []).append(package)
    groups = [tuple(shared[number]) for number in sorted(shared)]
    groups += [(package,) for package in packages if package in alone]
    if REST in sizes:
        groups.append((REST,))
    return tuple(Part(packages=group, size=sum(sizes[package] for package in group)) for group in groups)
