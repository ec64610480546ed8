"""What a publisher remembers between calls: which objects hold a content. It may be lost at any time; only time is.

Contents are known by SHA-256 from inventories, objects by SHA-1 of their compressed bytes, so without this memory an
unchanged file would have to be compressed again to learn its object's name.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lode.errors import HostError
from lode.publishing.cvmfs import objects
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.rows import Chunk, Counters

_ASKED = 5000  # contents in one query
_KEPT = 20  # trees whose contents are kept together
_FILE = struct.Struct("<32s20sqq")  # content, hash, size, stored size


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

    def __init__(self, path: Path, *, timeout_s: float = 30) -> None:
        """Open the cache at `path`; another process that writes is waited for."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._told():
            try:
                self._database = self._opened(path, timeout_s)
            except sqlite3.OperationalError:  # a full disk, or another process that writes
                raise
            except sqlite3.DatabaseError:
                path.unlink(missing_ok=True)
                self._database = self._opened(path, timeout_s)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def contents(self, form: str, wanted: Iterable[str]) -> dict[str, Content]:
        """Return how those of the contents `wanted` (SHA-256) that are known are stored in `form`."""
        found = {}
        with self._told():
            for content, size, name, stored, chunks in self._pieces(form, wanted):
                found[content.hex()] = (
                    Content(size=size, hash=name.hex(), stored=(stored,)) if name else _chunked(size, chunks)
                )
        return found

    def _pieces(self, form: str, wanted: Iterable[str]) -> Iterator[tuple[bytes, int, bytes, int, str]]:
        asked = sorted(bytes.fromhex(content) for content in wanted)  # as they lie in the file
        for start in range(0, len(asked), _ASKED):
            some = asked[start : start + _ASKED]
            marks = ",".join("?" * len(some))
            ask = f"SELECT content, size, name, stored, chunks FROM pieces WHERE form = ? AND content IN ({marks})"  # noqa: S608
            yield from self._database.execute(ask, (form, *some))

    def remember(self, form: str, contents: Mapping[str, Content]) -> None:
        """Note how `contents` are stored."""
        with self._told(), self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO pieces VALUES (?,?,?,?,?,?)",
                [(bytes.fromhex(content), form, *_values(stored)) for content, stored in contents.items()],
            )

    def tree(self, key: str) -> Tree | None:
        """Return the tree that was stored under `key`, None when none was."""
        with self._told():
            row = self._database.execute("SELECT stored FROM trees WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        document = json.loads(row[0])
        return Tree(**{**document, "total": Counters(**document["total"])})

    def remember_tree(self, key: str, tree: Tree) -> None:
        """Note what the tree of `key` was stored as."""
        with self._told(), self._database:
            self._database.execute("INSERT OR REPLACE INTO trees VALUES (?,?)", (key, json.dumps(asdict(tree))))

    def held(self, form: str, catalog: str) -> dict[str, Content]:
        """Return how the files of the tree of the catalog `catalog` are stored in `form`, by SHA-256.

        Nothing when that is not remembered; those in chunks are left out.
        """
        ask = "SELECT files FROM held WHERE catalog = ? AND form = ?"
        with self._told():
            row = self._database.execute(ask, (catalog, form)).fetchone()
        return {
            content.hex(): Content(size=size, hash=name.hex(), stored=(stored,))
            for content, name, size, stored in _FILE.iter_unpack(row[0] if row else b"")
        }

    def remember_held(self, form: str, catalog: str, contents: Mapping[str, Content]) -> None:
        """Note how the files of the tree of the catalog `catalog` are stored; the oldest trees are forgotten."""
        files = b"".join(
            _FILE.pack(bytes.fromhex(content), bytes.fromhex(stored.hash), stored.size, stored.stored[0])
            for content, stored in contents.items()
            if stored.hash
        )
        with self._told(), self._database:
            self._database.execute("INSERT OR REPLACE INTO held VALUES (?,?,?)", (catalog, form, files))
            last = "SELECT max(rowid) FROM held"
            self._database.execute(f"DELETE FROM held WHERE rowid <= ({last}) - ?", (_KEPT,))  # noqa: S608

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Raise HostError for what SQLite cannot do with the file."""
        try:
            yield
        except sqlite3.Error as error:
            raise HostError(
                f"the publisher's cache {self._path} cannot be used: {error}",
                hint="free some space, or remove the file: what it remembers is found again",
            ) from error

    @staticmethod
    def _opened(path: Path, timeout_s: float) -> sqlite3.Connection:
        database = sqlite3.connect(path, timeout=timeout_s)
        try:
            database.execute("PRAGMA synchronous=OFF")  # a power loss costs the cache at worst
            with database:
                for statement in (
                    "CREATE TABLE IF NOT EXISTS pieces (content BLOB, form TEXT, size INTEGER, name BLOB, "
                    "stored INTEGER, chunks TEXT, PRIMARY KEY (content, form)) WITHOUT ROWID",
                    "CREATE TABLE IF NOT EXISTS trees (key TEXT PRIMARY KEY, stored TEXT) WITHOUT ROWID",
                    "CREATE TABLE IF NOT EXISTS held (catalog TEXT, form TEXT, files BLOB, UNIQUE (catalog, form))",
                ):
                    database.execute(statement)
        except BaseException:
            database.close()
            raise
        return database


def _values(content: Content) -> tuple[object, ...]:
    if content.hash:
        return (content.size, bytes.fromhex(content.hash), content.stored[0], None)
    pieces = [
        (chunk.offset, chunk.size, chunk.hash, size) for chunk, size in zip(content.chunks, content.stored, strict=True)
    ]
    return (content.size, None, None, json.dumps(pieces, separators=(",", ":")))


def _chunked(size: int, text: str) -> Content:
    pieces: Sequence[tuple[int, int, str, int]] = json.loads(text)
    chunks = tuple(Chunk(offset=offset, size=length, hash=name) for offset, length, name, _ in pieces)
    return Content(size=size, hash=None, chunks=chunks, stored=tuple(stored for *_, stored in pieces))
