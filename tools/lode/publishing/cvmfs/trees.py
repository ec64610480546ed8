"""Storing a tree: the catalogs of its folders, from the deepest up, each a function of the tree alone."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lode.inventory import Entry, EntryType
from lode.publishing.cvmfs import catalog, objects
from lode.publishing.cvmfs.cache import Content, Tree
from lode.publishing.cvmfs.catalog import Writer
from lode.publishing.cvmfs.contents import Lookup, grouped
from lode.publishing.cvmfs.listing import Listing
from lode.publishing.cvmfs.objects import Deflate, Kind
from lode.publishing.cvmfs.rows import (
    CHUNKED,
    DIRECTORY,
    FILE,
    LINK,
    MOUNT_POINT,
    NESTED_ROOT,
    Catalog,
    Counters,
    Nested,
    Row,
    folder,
    marker,
)
from lode.publishing.cvmfs.storage import Storage

_FORMAT = 1  # of the rows and bytes that are made of a tree


def key(mount: str, inventory: str, form: str, nesting: Iterable[object], mtime: int) -> str:
    """Return what a stored tree is remembered under: all that its catalogs depend on."""
    return "\n".join((str(_FORMAT), mount, inventory, form, repr(tuple(nesting)), str(mtime)))


def store(
    listing: Listing,
    contents: Lookup,
    cut: frozenset[str],
    mount: bytes,
    storage: Storage,
    *,
    deflate: Deflate,
    mtime: int,
) -> Tree:
    """Store the catalogs of a tree, which is mounted at `mount`, and return the topmost.

    `contents` tells as what the files of a group of entries are stored.
    """
    work = _Stack(listing, cut, mount, storage, deflate=deflate, mtime=mtime)
    try:
        for group in grouped(listing):
            work.add_all(group, contents(group))
        return work.finish()
    finally:
        work.close()


@dataclass(slots=True, kw_only=True)
class _Open:
    """A catalog that is being written."""

    path: str  # of its folder in the tree
    below: str  # what the paths in it begin with
    writer: Writer
    nested: list[Nested]
    total: Counters  # of the catalogs below


class _Stack:
    """The catalogs that are open at one entry of the tree, from the topmost down.

    In bytes order all that is below `a/` comes together, so a catalog is whole when the first path that does not begin
    with its folder comes.
    """

    def __init__(
        self, listing: Listing, cut: frozenset[str], mount: bytes, storage: Storage, *, deflate: Deflate, mtime: int
    ) -> None:
        self._listing, self._cut, self._mount, self._mtime = listing, cut, mount, mtime
        self._storage, self._deflate = storage, deflate
        self._empty = objects.put(storage, b"", Kind.FILE, deflate)
        self._open: list[_Open] = []
        self._modes = {"": 0o755}  # of the folders that have been passed and are cut off
        self._begin("")

    def add_all(self, group: Sequence[Entry], stored: Mapping[str, Content]) -> None:
        """Add the next entries. Ordinary files of one folder, which most entries are, go to its catalog together."""
        folder: str | None = None  # that the entry before lies in, so that its catalog is the innermost
        files: list[tuple[bytes, str, int, int]] = []
        for entry in group:
            parent, _, name = entry.path.rpartition("/")
            if entry.type is EntryType.FILE and parent == folder:
                content = stored[entry.content]
                if content.hash and not content.chunks:
                    encoded = name.encode("utf-8", "surrogateescape")
                    files.append((encoded, content.hash, entry.size, stat.S_IFREG | entry.mode))
                    continue
            self._add_files(folder, files)
            self.add(entry, stored)
            folder = parent
        self._add_files(folder, files)

    def _add_files(self, folder: str | None, files: list[tuple[bytes, str, int, int]]) -> None:
        if folder is not None and files:
            self._open[-1].writer.add_files(_absolute(self._mount, folder), files, mtime=self._mtime)
            files.clear()

    def add(self, entry: Entry, stored: Mapping[str, Content]) -> None:
        """Add the next entry to the catalog it belongs in."""
        path = entry.path
        while not path.startswith(self._open[-1].below):
            self._end()
        parent = path.rpartition("/")[0]
        if parent in self._cut and self._open[-1].path != parent:
            self._begin(parent)
        row = _row(entry, self._mount, stored, self._listing.folders, self._cut, self._mtime)
        self._open[-1].writer.add(row)
        if path in self._cut:
            self._modes[path] = entry.mode
            if not self._listing.members[path]:
                self._begin(path)
                self._end()

    def finish(self) -> Tree:
        """Return the whole tree."""
        while len(self._open) > 1:
            self._end()
        nested, total = self._stored()
        return Tree(catalog=nested.hash, size=nested.size, folders=self._listing.folders[""], total=total)

    def close(self) -> None:
        """Give up what is still open."""
        for one in self._open:
            one.writer.close()

    def _begin(self, path: str) -> None:
        writer = Writer()
        self._open.append(
            _Open(path=path, below=f"{path}/" if path else "", writer=writer, nested=[], total=Counters())
        )
        at, flags = _absolute(self._mount, path), DIRECTORY | NESTED_ROOT
        folders, mode = self._listing.folders[path], self._modes.pop(path)
        writer.add(folder(at, folders=folders, mtime=self._mtime, flags=flags, mode=mode))
        writer.add(marker(at, self._empty, mtime=self._mtime))

    def _end(self) -> None:
        nested, total = self._stored()
        above = self._open[-1]
        above.nested.append(nested)
        above.total += total

    def _stored(self) -> tuple[Nested, Counters]:
        """Store the innermost catalog."""
        one = self._open.pop()
        at = _absolute(self._mount, one.path)
        properties = {"last_modified": str(self._mtime), "revision": "1"}
        content, total = one.writer.finish(at, one.nested, one.total, properties)
        name = objects.put(self._storage, content, Kind.CATALOG, self._deflate)
        return Nested(path=at, hash=name, size=len(content)), total


def put(made: Catalog, storage: Storage, deflate: Deflate) -> Nested:
    """Store a catalog and return how its parent refers to it."""
    content = catalog.dump(made)
    return Nested(path=made.prefix, hash=objects.put(storage, content, Kind.CATALOG, deflate), size=len(content))


def _row(
    entry: Entry,
    mount: bytes,
    contents: Mapping[str, Content],
    folders: Mapping[str, int],
    cut: frozenset[str],
    mtime: int,
) -> Row:
    path = _absolute(mount, entry.path)
    if entry.type is EntryType.DIRECTORY:
        flags = DIRECTORY | MOUNT_POINT if entry.path in cut else DIRECTORY
        return folder(path, folders=folders[entry.path], mtime=mtime, flags=flags, mode=entry.mode)
    if entry.type is EntryType.SYMLINK:
        target = entry.content.encode("utf-8", "surrogateescape")
        mode = stat.S_IFLNK | 0o777
        return Row(path=path, flags=FILE | LINK, mode=mode, size=len(target), mtime=mtime, links=1, target=target)
    content = contents[entry.content]
    return Row(
        path=path,
        flags=FILE | CHUNKED if content.chunks else FILE,
        mode=stat.S_IFREG | entry.mode,
        size=entry.size,
        mtime=mtime,
        links=1,
        hash=content.hash,
        chunks=content.chunks,
    )


def _absolute(mount: bytes, path: str) -> bytes:
    return mount + b"/" + path.encode("utf-8", "surrogateescape") if path else mount
