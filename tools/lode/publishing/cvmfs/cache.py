"""What a publisher remembers between calls: which objects hold a content. It may be lost at any time; only time is.

Contents are known by SHA-256 from inventories, objects by SHA-1 of their compressed bytes, so without this memory an
unchanged file would have to be compressed again to learn its object's name.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lode.publishing.cvmfs import objects
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.rows import Chunk, Counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """How the bytes of a file are stored: in one object, or in those of its chunks."""

    size: int  # bytes, uncompressed
    hash: str | None
    chunks: tuple[Chunk, ...] = ()
    stored: tuple[int, ...]  # size of each object, compressed

    def objects(self) -> tuple[tuple[str, int], ...]:
        """Return key and stored size of each object."""
        if self.hash:
            return ((objects.key(self.hash, Kind.FILE), self.stored[0]),)
        return tuple(
            (objects.key(chunk.hash, Kind.CHUNK), size) for chunk, size in zip(self.chunks, self.stored, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree that was stored: its catalog's hash and size, and what its parent must count."""

    catalog: str
    size: int
    folders: int  # directly in its root
    total: Counters


class Cache:
    """An SQLite file. One that is no database is made anew."""

    def __init__(self, path: Path) -> None:
        """Open the cache at `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = self._opened(path)
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._database = self._opened(path)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def contents(self, form: str, wanted: Iterable[str]) -> Mapping[str, Content]:
        """Return how those of the contents `wanted` (SHA-256) that are known are stored in `form`."""
        ask = "SELECT stored FROM contents WHERE content = ? AND form = ?"
        found = {}
        for content in wanted:
            row = self._database.execute(ask, (bytes.fromhex(content), form)).fetchone()
            if row is not None:
                size, name, chunks, stored = json.loads(row[0])
                pieces = tuple(Chunk(offset=offset, size=length, hash=hashed) for offset, length, hashed in chunks)
                found[content] = Content(size=size, hash=name, chunks=pieces, stored=tuple(stored))
        return found

    def remember(self, form: str, contents: Mapping[str, Content]) -> None:
        """Note how `contents` are stored."""
        with self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO contents VALUES (?,?,?)",
                ((bytes.fromhex(content), form, _dump(stored)) for content, stored in contents.items()),
            )

    def tree(self, key: str) -> Tree | None:
        """Return the tree that was stored under `key`, None when none was."""
        row = self._database.execute("SELECT stored FROM trees WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        document = json.loads(row[0])
        return Tree(**{**document, "total": Counters(**document["total"])})

    def remember_tree(self, key: str, tree: Tree) -> None:
        """Note what the tree of `key` was stored as."""
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO trees VALUES (?,?)", (key, json.dumps(asdict(tree))))

    @staticmethod
    def _opened(path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path)
        try:
            database.execute("PRAGMA synchronous=OFF")  # a power loss costs the cache at worst
            with database:
                for statement in (
                    "CREATE TABLE IF NOT EXISTS contents (content BLOB, form TEXT, stored TEXT, "
                    "PRIMARY KEY (content, form)) WITHOUT ROWID",
                    "CREATE TABLE IF NOT EXISTS trees (key TEXT PRIMARY KEY, stored TEXT) WITHOUT ROWID",
                ):
                    database.execute(statement)
        except BaseException:
            database.close()
            raise
        return database


def _dump(content: Content) -> str:
    chunks = [(chunk.offset, chunk.size, chunk.hash) for chunk in content.chunks]
    return json.dumps((content.size, content.hash, chunks, content.stored), separators=(",", ":"))
