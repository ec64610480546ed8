"""Storing a tree: the catalogs of its folders, from the deepest up, each a function of the tree alone."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lode.inventory import Entry, EntryType
from lode.publishing.cvmfs import catalog, objects
from lode.publishing.cvmfs.cache import Content, Tree
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
    entries: Sequence[Entry],
    contents: Mapping[str, Content],
    cut: frozenset[str],
    mount: bytes,
    storage: Storage,
    *,
    deflate: Deflate,
    mtime: int,
) -> Tree:
    """Store the catalogs of the tree of `entries` (in order), which is mounted at `mount`, and return the topmost."""
    empty = objects.put(storage, b"", Kind.FILE, deflate)
    folders = _folders(entries)
    members: dict[str, list[Entry]] = {"": [], **{path: [] for path in cut}}
    catalogs = {"": ""}  # of each folder, that of the catalog which holds what is in it
    for entry in entries:
        own = catalogs[_parent(entry.path)]
        members[own].append(entry)
        if entry.type is EntryType.DIRECTORY:
            catalogs[entry.path] = entry.path if entry.path in cut else own
    modes = {entry.path: entry.mode for entry in entries if entry.path in cut}
    nested: dict[str, list[Nested]] = {}
    below: dict[str, Counters] = {}
    for path in sorted(members, reverse=True):
        at = _absolute(mount, path)
        top = folder(
            at, folders=folders.get(path, 0), mtime=mtime, flags=DIRECTORY | NESTED_ROOT, mode=modes.get(path, 0o755)
        )
        rows = (_row(entry, mount, contents, folders, cut, mtime) for entry in members.pop(path))
        made = Catalog(
            prefix=at,
            rows=(top, marker(at, empty, mtime=mtime), *rows),
            nested=tuple(sorted(nested.pop(path, ()), key=lambda one: one.path)),
            below=below.pop(path, Counters()),
            properties={"last_modified": str(mtime), "revision": "1"},
        )
        stored = put(made, storage, deflate)
        if not path:
            return Tree(catalog=stored.hash, size=stored.size, folders=folders.get("", 0), total=made.total)
        parent = catalogs[_parent(path)]
        nested.setdefault(parent, []).append(stored)
        below[parent] = below.get(parent, Counters()) + made.total
    raise AssertionError("the root of the tree comes last")


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
        return folder(path, folders=folders.get(entry.path, 0), mtime=mtime, flags=flags, mode=entry.mode)
    if entry.type is EntryType.SYMLINK:
        target = entry.content.encode("utf-8", "surrogateescape")
        mode = stat.S_IFLNK | 0o777
        return Row(path=path, flags=FILE | LINK, mode=mode, size=len(target), mtime=mtime, links=1, target=target)
    content = contents[entry.content]
    row = Row(
        path=path,
        flags=FILE,
        mode=stat.S_IFREG | entry.mode,
        size=entry.size,
        mtime=mtime,
        links=1,
        hash=content.hash,
    )
    return replace(row, flags=FILE | CHUNKED, chunks=content.chunks) if content.chunks else row


def _folders(entries: Iterable[Entry]) -> dict[str, int]:
    """Return how many folders lie directly in each folder that holds any."""
    found: dict[str, int] = {}
    for entry in entries:
        if entry.type is EntryType.DIRECTORY:
            parent = _parent(entry.path)
            found[parent] = found.get(parent, 0) + 1
    return found


def _absolute(mount: bytes, path: str) -> bytes:
    return mount + b"/" + path.encode("utf-8", "surrogateescape") if path else mount


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
