"""What a file catalog says of one entry, and the numbers that it keeps of all of them."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

DIRECTORY, MOUNT_POINT, FILE, LINK, SPECIAL, NESTED_ROOT, CHUNKED = 1, 2, 4, 8, 16, 32, 64
MARKER = b".cvmfscatalog"  # the file that a nested catalog's folder must hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a big file: its place in the file, and the hash of the object that holds it."""

    offset: int
    size: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry as it lies in a catalog. `path` is absolute within the repository, b"" its root."""

    path: bytes
    flags: int
    mode: int  # with the bits of the file's type
    size: int  # bytes; of a link's target; 4096 for folders
    mtime: int
    links: int  # with the group of hard links in the upper half, as stored
    hash: str | None = None
    target: bytes = b""  # of a link
    chunks: tuple[Chunk, ...] = ()
    uid: int = 0
    gid: int = 0

    @property
    def name(self) -> bytes:
        """Return the last part of the path."""
        return self.path.rpartition(b"/")[2]

    @property
    def parent(self) -> bytes:
        """Return the path of the folder that the entry lies in."""
        return self.path.rpartition(b"/")[0]

    @property
    def is_folder(self) -> bool:
        """Return whether the entry is a folder."""
        return bool(self.flags & DIRECTORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """A catalog below another: where it is mounted, the hash of its object, and its size uncompressed."""

    path: bytes
    hash: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """How many entries of each kind there are; the names are those of the table `statistics`."""

    regular: int = 0
    symlink: int = 0
    special: int = 0
    dir: int = 0
    nested: int = 0
    chunked: int = 0
    chunks: int = 0
    file_size: int = 0
    chunked_size: int = 0
    xattr: int = 0
    external: int = 0
    external_file_size: int = 0

    def __add__(self, other: Counters) -> Counters:
        """Return the sums."""
        return Counters(**{name: getattr(self, name) + getattr(other, name) for name in COUNTERS})

    def __sub__(self, other: Counters) -> Counters:
        """Return the differences."""
        return Counters(**{name: getattr(self, name) - getattr(other, name) for name in COUNTERS})


COUNTERS = tuple(one.name for one in fields(Counters))


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """One catalog: its own rows, the folder's own first, and the catalogs directly below it."""

    prefix: bytes  # path of the folder that it describes; b"" for the root catalog
    rows: tuple[Row, ...]
    nested: tuple[Nested, ...] = ()
    below: Counters = Counters()  # of all catalogs below it
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def counters(self) -> Counters:
        """Return the numbers of the catalog's own rows."""
        return count(self.rows, len(self.nested))

    @property
    def total(self) -> Counters:
        """Return the numbers of the catalog and all below it, as its parent counts them."""
        return self.counters + self.below


def count(rows: Iterable[Row], nested: int) -> Counters:
    """Return the numbers of `rows`: a mount point counts as a folder, here and once more in its own catalog."""
    regular = symlink = special = folders = chunked = chunks = file_size = chunked_size = 0
    for row in rows:
        flags = row.flags
        if flags & DIRECTORY:
            folders += 1
        elif flags & LINK:
            symlink += 1
        elif flags & SPECIAL:
            special += 1
        else:
            regular += 1
            file_size += row.size
            if flags & CHUNKED:
                chunked += 1
                chunked_size += row.size
                chunks += len(row.chunks)
    return Counters(
        regular=regular,
        symlink=symlink,
        special=special,
        dir=folders,
        nested=nested,
        chunked=chunked,
        chunks=chunks,
        file_size=file_size,
        chunked_size=chunked_size,
    )


def folder(path: bytes, *, folders: int, mtime: int, flags: int = DIRECTORY, mode: int = 0o755) -> Row:
    """Return the row of a folder that holds `folders` others."""
    return Row(path=path, flags=flags, mode=stat.S_IFDIR | mode, size=4096, mtime=mtime, links=2 + folders)


def marker(path: bytes, empty: str, *, mtime: int) -> Row:
    """Return the row of the marker in the folder at `path`; `empty` is the hash of the empty object."""
    mode = stat.S_IFREG | 0o644
    return Row(path=path + b"/" + MARKER, flags=FILE, mode=mode, size=0, mtime=mtime, links=1, hash=empty)
