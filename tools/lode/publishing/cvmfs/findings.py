"""What one catalog holds and what is wrong within it, found in one pass over its rows, none of which is kept.

An ordinary file, which most rows are, is judged by SQLite; Python proves that it lies at the hash of its path.
"""

from __future__ import annotations

import hashlib
import sqlite3
import stat
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from lode.errors import VerificationError
from lode.inventory import printable
from lode.publishing.cvmfs import catalog
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.rows import (
    CHUNKED,
    DIRECTORY,
    FILE,
    LINK,
    MARKER,
    MOUNT_POINT,
    NESTED_ROOT,
    Counters,
    Nested,
)

Need = Callable[
    [Kind, list[tuple[bytes, bytes]]], None
]  # objects by hash, each with the path of an entry that needs it

_FORMAT = stat.S_IFMT(0o177777)  # the bits of a mode that say what an entry is
_GROUP = 4096  # objects that are asked for at once
_ROWS = f"""
SELECT md5path_1, md5path_2, parent_1, parent_2, name, hash,
 flags & {DIRECTORY | LINK | CHUNKED | FILE} = {FILE} AND mode & {_FORMAT} = {stat.S_IFREG}
 AND typeof(hash) = 'blob' AND length(hash) = 20 AND symlink = '' AS plain,
 flags, mode, size, mtime, hardlinks, symlink, uid, gid
FROM catalog ORDER BY rowid
"""  # noqa: S608
_COUNTED = f"""
SELECT count(*) FILTER (WHERE kind = 0), count(*) FILTER (WHERE kind = 1), count(*) FILTER (WHERE kind = 2),
 count(*) FILTER (WHERE kind = 3), total(size) FILTER (WHERE kind = 0),
 count(*) FILTER (WHERE kind = 0 AND chunked), total(size) FILTER (WHERE kind = 0 AND chunked)
FROM (SELECT size, flags & {CHUNKED} AS chunked,
 CASE WHEN flags & {DIRECTORY} THEN 3 WHEN flags & {LINK} THEN 1 WHEN flags & 16 THEN 2 ELSE 0 END AS kind FROM catalog)
"""  # noqa: S608
_CHUNKS = "SELECT offset, size, hash FROM chunks WHERE md5path_1 = ? AND md5path_2 = ? ORDER BY offset"
_TWICE = "SELECT 1 FROM catalog GROUP BY md5path_1, md5path_2 HAVING count(*) > 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is known of a catalog after its rows were read."""

    prefix: bytes
    size: int  # of the database, bytes
    entries: int
    top: tuple[int, ...]  # links, size, mode, mtime, uid and gid of its own folder
    mounts: Mapping[bytes, tuple[int, ...]]  # the same of the folders that other catalogs describe, by path
    nested: tuple[Nested, ...]
    counters: Counters  # of its rows
    own: Counters  # what it says of its rows
    below: Counters  # and of all catalogs below
    faults: tuple[str, ...]


def find(content: bytes, need: Need) -> Findings:
    """Return what the catalog in the database `content` holds; `need` is told all objects that it names.

    VerificationError when it cannot be read as a catalog.
    """
    size = len(content)
    with closing(catalog.opened(content, "a catalog")) as database:
        del content  # SQLite has its own
        try:
            return _Reading(database, need).findings(size)
        except (sqlite3.Error, KeyError, ValueError, TypeError) as error:
            raise VerificationError(f"a catalog is damaged: {error}") from error


class _Reading:
    """One catalog while its rows are read."""

    def __init__(self, database: sqlite3.Connection, need: Need) -> None:
        self._database, self._need = database, need
        self._links: dict[bytes, int] = {}  # of each folder that this catalog describes, as its row says
        self._folders: dict[bytes, int] = {}  # directly in each folder
        self._mounts: dict[bytes, tuple[int, ...]] = {}
        self._top: tuple[int, ...] = ()
        self._entries = self._chunks = 0
        self._marked = False
        self._faults: list[str] = []

    def findings(self, size: int) -> Findings:
        """Return all that is found; the errors of a database that is no catalog come out as they are."""
        database = self._database
        properties, own, below = catalog.head(database)
        prefix = properties.get("root_prefix", "").encode()
        nested = catalog.nested(database)
        database.text_factory = bytes  # names need not be UTF-8
        self._read(prefix)
        self._judge(prefix, {one.path for one in nested})
        return Findings(
            prefix=prefix,
            size=size,
            entries=self._entries,
            top=self._top,
            mounts=self._mounts,
            nested=nested,
            counters=self._counted(len(nested)),
            own=own,
            below=below,
            faults=tuple(self._faults),
        )

    def _read(self, prefix: bytes) -> None:
        own, unpack, hashed = catalog.path_hash(prefix), catalog.MD5.unpack, hashlib.md5
        marker = prefix + b"/" + MARKER
        paths: dict[tuple[int, int], bytes] = {}  # of folders, with a slash behind
        wanted: list[tuple[bytes, bytes]] = []
        last_1 = last_2 = None
        above = b""
        for first, second, up_1, up_2, name, content, plain, *rest in self._database.execute(_ROWS):
            if up_1 != last_1 or up_2 != last_2:
                last_1, last_2 = up_1, up_2
                above = paths.get((up_1, up_2), b"?/")
            path = above + name
            if unpack(hashed(path, usedforsecurity=False).digest()) != (first, second):
                if (first, second) != own:
                    raise ValueError(f"the row of {name!r} is not at the hash of its path")
                path = prefix
            if path == marker:
                self._marked = True
            if not self._entries and path != prefix:
                self._wrong(prefix, "does not begin with its folder")
            self._entries += 1
            if content is not None:
                wanted.append((content, path))
                if len(wanted) == _GROUP:
                    self._need(Kind.FILE, wanted)
                    wanted = []
            if plain:
                continue
            if rest[0] & DIRECTORY:
                paths[first, second] = path + b"/"
                self._folder(path, prefix, content, *rest)
            elif fault := self._leaf((first, second), path, content, *rest):
                self._faults.append(f"{shown(path)} {fault}")
        if wanted:
            self._need(Kind.FILE, wanted)

    def _folder(self, path: bytes, prefix: bytes, content: bytes | None, flags: int, mode: int, *more: Any) -> None:
        size, mtime, links, _, uid, gid = more
        attributes = (links, size, mode, mtime, uid, gid)
        self._folders.setdefault(path, 0)
        if path == prefix:
            self._top = attributes
            if bool(flags & NESTED_ROOT) != bool(prefix):
                self._wrong(prefix, "does not begin with its folder")
        else:
            self._folders[path.rpartition(b"/")[0]] += 1
        if flags & MOUNT_POINT:
            self._mounts[path] = attributes
        else:
            self._links[path] = links
        if mode & _FORMAT != stat.S_IFDIR or content:
            self._faults.append(f"{shown(path)} is a folder with the mode or content of none")

    def _leaf(
        self, at: tuple[int, int], path: bytes, content: bytes | None, flags: int, mode: int, *more: Any
    ) -> str | None:
        """Return what is wrong with a link, a file in chunks, or a file that is not as most are."""
        size, _, _, target, _, _ = more
        kind = mode & _FORMAT
        if flags & LINK:
            sound = kind == stat.S_IFLNK and flags & FILE and not content and size == len(target)
            return None if sound else "is a link that does not hold together"
        if kind != stat.S_IFREG or not flags & FILE or target:
            return "is a file with the mode of none"
        if not flags & CHUNKED:
            return "is a file without content"
        found = self._database.execute(_CHUNKS, at).fetchall()
        self._chunks += len(found)
        self._need(Kind.CHUNK, [(name, path) for _, _, name in found])
        end = 0
        for offset, length, _ in found:
            if offset != end:
                return f"has no chunk at byte {end}"
            end += length
        return None if found and end == size else f"has {end} bytes in chunks instead of {size}"

    def _judge(self, prefix: bytes, nested: set[bytes]) -> None:
        """Note what is wrong with the catalog as a whole."""
        if not self._top:
            raise ValueError("it does not hold its own folder")
        for path, links in self._links.items():
            if links != 2 + self._folders[path]:
                self._faults.append(f"{shown(path)} has {links} links instead of {2 + self._folders[path]}")
        if self._database.execute(_TWICE).fetchone():
            self._wrong(prefix, "has an entry twice")
        if self._mounts.keys() != nested:
            self._wrong(prefix, "its mount points are not those of its list of catalogs", ":")
        if bool(prefix) != self._marked:
            self._wrong(prefix, f"its marker is {'missing' if prefix else 'in the root folder'}", ":")

    def _wrong(self, prefix: bytes, what: str, mark: str = "") -> None:
        self._faults.append(f"the catalog of {shown(prefix)}{mark} {what}")

    def _counted(self, nested: int) -> Counters:
        counted = self._database.execute(_COUNTED).fetchone()
        names = ("regular", "symlink", "special", "dir", "file_size", "chunked", "chunked_size")
        return Counters(**dict(zip(names, map(int, counted), strict=True)), nested=nested, chunks=self._chunks)


def shown(path: bytes) -> str:
    """Return a path of the repository for people."""
    return printable(path.decode("utf-8", "surrogateescape")) or "/"
