"""File catalogs as SQLite databases (schema 2.5, revision 6): the same catalog always gives the same bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from io import FileIO

from lode.errors import HostError, VerificationError
from lode.publishing.cvmfs.rows import COUNTERS, FILE, Catalog, Chunk, Counters, Nested, Row, count

_TABLES = """
PRAGMA page_size=4096;
PRAGMA encoding="UTF-8";
PRAGMA auto_vacuum=0;
CREATE TABLE catalog (md5path_1 INTEGER, md5path_2 INTEGER, parent_1 INTEGER, parent_2 INTEGER, hardlinks INTEGER,
 hash BLOB, size INTEGER, mode INTEGER, mtime INTEGER, flags INTEGER, name TEXT, symlink TEXT, uid INTEGER,
 gid INTEGER, xattr BLOB, CONSTRAINT pk_catalog PRIMARY KEY (md5path_1, md5path_2));
CREATE TABLE chunks (md5path_1 INTEGER, md5path_2 INTEGER, offset INTEGER, size INTEGER, hash BLOB,
 CONSTRAINT pk_chunks PRIMARY KEY (md5path_1, md5path_2, offset, size));
CREATE TABLE nested_catalogs (path TEXT, sha1 TEXT, size INTEGER, CONSTRAINT pk_nested_catalogs PRIMARY KEY (path));
CREATE TABLE bind_mountpoints (path TEXT, sha1 TEXT, size INTEGER, CONSTRAINT pk_bind_mountpoints PRIMARY KEY (path));
CREATE TABLE statistics (counter TEXT, value INTEGER, CONSTRAINT pk_statistics PRIMARY KEY (counter));
CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key));
"""
_ROW = "INSERT INTO catalog VALUES (?,?,?,?,?,?,?,?,?,?,CAST(? AS TEXT),CAST(? AS TEXT),?,?,NULL)"
_SQLITE_VERSION = 3_040_001  # written into every catalog, whichever library made it: clients do not look at it
_IN_FILE = """
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA cache_size=-32768;
"""  # the file is nobody else's, and worth nothing after a crash
_HEADER = 100  # bytes
_BATCH = 2000  # rows that are handed to SQLite at once
_HELD = 200_000  # rows of a database in memory; a larger one goes on in a file
MD5 = struct.Struct("<qq")
_md5 = hashlib.md5


def path_hash(path: bytes) -> tuple[int, int]:
    """Return the two signed halves of the MD5 of `path` as catalogs hold them."""
    return MD5.unpack(_md5(path, usedforsecurity=False).digest())


class Writer:
    """A catalog being written row by row; it takes the memory of its database alone, and not of a large one."""

    def __init__(self, held: int = _HELD) -> None:
        """Begin a database in memory; one of more than `held` rows goes on in a nameless temporary file."""
        self._held = held
        self._written = 0  # rows
        self._file: int | None = None
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")
        self._parents: tuple[bytes, tuple[int, int]] = (b"", path_hash(b""))
        self._rows: list[tuple[object, ...]] = []  # that wait; below, those of them that are not counted yet
        self._chunks: list[tuple[object, ...]] = []
        self._counted = Counters()
        self._since: list[Row] = []

    def add(self, row: Row) -> None:
        """Add the next row; the catalog's own folder comes first."""
        self._since.append(row)
        path = row.path
        own = path_hash(path)
        above, _, name = path.rpartition(b"/")
        if above != self._parents[0]:
            self._parents = (above, path_hash(above))
        parent = self._parents[1] if path else (0, 0)
        self._rows.append(
            (*own, *parent, row.links, bytes.fromhex(row.hash) if row.hash else None, row.size, row.mode, row.mtime,
             row.flags, name, row.target, row.uid, row.gid)
        )  # fmt: skip
        for chunk in row.chunks:
            self._chunks.append((*own, chunk.offset, chunk.size, bytes.fromhex(chunk.hash)))
        if len(self._rows) >= _BATCH:
            self._write()

    def add_files(self, folder: bytes, files: Iterable[tuple[bytes, str, int, int]], *, mtime: int) -> None:
        """Add the next rows as `add` does: files of `folder`, each in one object: name, hash, size and mode."""
        above = path_hash(folder)
        unpack, hashed, rows, unhex = MD5.unpack, _md5, self._rows, bytes.fromhex
        start, number, size_all = folder + b"/", 0, 0
        for name, content, size, mode in files:
            own = unpack(hashed(start + name, usedforsecurity=False).digest())
            rows.append((*own, *above, 1, unhex(content), size, mode, mtime, FILE, name, b"", 0, 0))
            number += 1
            size_all += size
        self._counted += Counters(regular=number, file_size=size_all)
        if len(rows) >= _BATCH:
            self._write()

    def finish(
        self, prefix: bytes, nested: Iterable[Nested], below: Counters, properties: Mapping[str, str]
    ) -> tuple[bytes, Counters]:
        """Return the database, and the numbers of the catalog and all below it; the writer is used up.

        HostError when the place for temporary files has no room for a large one.
        """
        with closing(self), _room():
            self._write()
            database = self._database
            listed = sorted((one.path, one.hash, one.size) for one in nested)
            counters = replace(self._counted, nested=len(listed))
            database.execute("CREATE INDEX idx_catalog_parent ON catalog (parent_1, parent_2)")
            database.executemany("INSERT INTO chunks VALUES (?,?,?,?,?)", self._chunks)
            database.executemany("INSERT INTO nested_catalogs VALUES (CAST(? AS TEXT),?,?)", listed)
            database.executemany("INSERT INTO statistics VALUES (?,?)", _statistics(counters, below))
            database.executemany("INSERT INTO properties VALUES (?,?)", _properties(prefix, properties))
            database.execute("COMMIT")
            content = _read(database, self._file)
        return content, counters + below

    def close(self) -> None:
        """Give up what was written."""
        self._database.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self) -> None:
        with _room():
            self._database.executemany(_ROW, self._rows)
        self._counted += count(self._since, 0)
        self._written += len(self._rows)
        self._rows.clear()
        self._since.clear()
        if self._file is None and self._written > self._held:
            with _room():
                self._move()

    def _move(self) -> None:
        """Go on in a file. Its name goes once it is open, so that nothing is left of a killed publisher."""
        self._database.execute("COMMIT")
        self._file, path = tempfile.mkstemp(prefix="lode-catalog-")
        try:
            with open(self._file, "wb", closefd=False) as file, closing(self._database) as before:
                file.write(before.serialize())
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.executescript(_IN_FILE)
            self._database.execute("BEGIN EXCLUSIVE")
        finally:
            os.unlink(path)


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Raise HostError when a large catalog's file cannot be written: in memory nothing of SQLite's fails."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise HostError(
            f"a catalog cannot be written in {tempfile.gettempdir()}: {error}",
            hint="free some space there, or name another place in TMPDIR",
        ) from error


def _read(database: sqlite3.Connection, file: int | None) -> bytes:
    """Return the whole database, closed by that: `file` is the descriptor of the one it lies in, None one in memory."""
    if file is None:
        content = database.serialize()
        database.close()
        return canonical(content)
    database.close()
    os.pwrite(file, canonical(os.pread(file, _HEADER, 0)), 0)
    os.lseek(file, 0, os.SEEK_SET)
    with FileIO(file, closefd=False) as whole:
        return whole.readall()


def dump(catalog: Catalog) -> bytes:
    """Return the database of `catalog`, rows in the order given."""
    writer = Writer()
    for row in catalog.rows:
        writer.add(row)
    content, _ = writer.finish(catalog.prefix, catalog.nested, catalog.below, catalog.properties)
    return content


def load(content: bytes) -> Catalog:
    """Return the catalog in the database `content`; VerificationError when it cannot be read as one."""
    with closing(opened(content, "a catalog")) as database:
        try:
            properties, _, below = head(database)
            prefix = properties.get("root_prefix", "").encode()
            listed = nested(database)
            database.text_factory = bytes  # names need not be UTF-8
            rows = tuple(_rows(database, prefix))
            return Catalog(prefix=prefix, rows=rows, nested=listed, below=below, properties=properties)
        except (sqlite3.Error, KeyError, ValueError, TypeError) as error:
            raise VerificationError(f"a catalog is damaged: {error}") from error


def total(content: bytes) -> Counters:
    """Return the numbers of a catalog and all below it, from what its database says of itself."""
    with closing(opened(content, "a catalog")) as database:
        try:
            _, own, below = head(database)
            return own + below
        except (sqlite3.Error, KeyError, ValueError, TypeError) as error:
            raise VerificationError(f"a catalog is damaged: {error}") from error


def references(content: bytes) -> tuple[set[bytes], set[bytes], tuple[Nested, ...]]:
    """Return the hashes of the files, those of the chunks, and the catalogs directly below that a catalog refers to."""
    with closing(opened(content, "a catalog")) as database:
        try:
            files = {bytes(row[0]) for row in database.execute("SELECT DISTINCT hash FROM catalog WHERE hash NOTNULL")}
            chunks = {bytes(row[0]) for row in database.execute("SELECT DISTINCT hash FROM chunks")}
            return files, chunks, nested(database)
        except (sqlite3.Error, TypeError) as error:
            raise VerificationError(f"a catalog is damaged: {error}") from error


def opened(content: bytes, what: str) -> sqlite3.Connection:
    """Return the database `content`, in memory; VerificationError when it is none. What is in it may still be wrong."""
    if not content.startswith(b"SQLite format 3\0"):
        raise VerificationError(f"{what} is damaged: it is not a database")
    database = sqlite3.connect(":memory:")
    database.deserialize(content)
    return database


def head(database: sqlite3.Connection) -> tuple[dict[str, str], Counters, Counters]:
    """Return a catalog's properties, and what it says of the numbers of its rows and of all catalogs below.

    The errors of a database that is no catalog come out as they are: `sqlite3.Error`, KeyError, ValueError, TypeError.
    """
    rows = database.execute("SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM properties ORDER BY key")
    properties = {bytes(key).decode(): bytes(value).decode() for key, value in rows}
    statistics: dict[str, int] = dict(database.execute("SELECT counter, value FROM statistics"))
    own, below = (
        Counters(**{name: statistics[f"{scope}_{name}"] for name in COUNTERS}) for scope in ("self", "subtree")
    )
    return properties, own, below


def nested(database: sqlite3.Connection) -> tuple[Nested, ...]:
    """Return the catalogs directly below; errors as those of `head`."""
    rows = database.execute("SELECT CAST(path AS BLOB), sha1, size FROM nested_catalogs ORDER BY path")
    return tuple(Nested(path=path, hash=name, size=size) for path, name, size in rows)


def _statistics(own: Counters, below: Counters) -> Iterator[tuple[str, int]]:
    for scope, counters in (("self", own), ("subtree", below)):
        yield from ((f"{scope}_{name}", getattr(counters, name)) for name in COUNTERS)


def _properties(prefix: bytes, more: Mapping[str, str]) -> list[tuple[str, str]]:
    properties = {**more, "schema": "2.5", "schema_revision": "6"}
    if prefix:
        properties["root_prefix"] = prefix.decode()
    return sorted(properties.items())


def canonical(content: bytes) -> bytes:
    """Return the database with what its header says of the writing library made constant (sqlite.org/fileformat2, 1.3).

    The version-valid-for number must equal the change counter, else the size in the header would not count.
    """
    counter = struct.pack(">I", 1)
    head = content[:24] + counter + content[28:92] + counter + struct.pack(">I", _SQLITE_VERSION)
    return b"".join((head, memoryview(content)[100:]))


def _rows(database: sqlite3.Connection, prefix: bytes) -> Iterator[Row]:
    """Yield the rows in the order they were written; a folder comes before what it holds.

    The catalog's own folder is found by the hash of its path, so that a parent's name is never needed.
    """
    chunks: dict[tuple[int, int], list[Chunk]] = {}
    for first, second, offset, size, name in database.execute(
        "SELECT md5path_1, md5path_2, offset, size, hash FROM chunks ORDER BY 1, 2, 3"
    ):
        chunks.setdefault((first, second), []).append(Chunk(offset=offset, size=size, hash=name.hex()))
    paths: dict[tuple[int, int], bytes] = {}
    own = path_hash(prefix)
    for first, second, *parent, links, name, size, mode, mtime, flags, last, target, uid, gid in database.execute(
        "SELECT md5path_1, md5path_2, parent_1, parent_2, hardlinks, hash, size, mode, mtime, flags, "
        "name, symlink, uid, gid FROM catalog ORDER BY rowid"
    ):
        at = (first, second)
        path = prefix if at == own else b"%b/%b" % (paths.get((parent[0], parent[1]), b"?"), last)
        if path_hash(path) != at:
            raise ValueError(f"the row of {last!r} is not at the hash of its path")
        if flags & 1:
            paths[at] = path
        yield Row(
            path=path,
            flags=flags,
            mode=mode,
            size=size,
            mtime=mtime,
            links=links,
            hash=None if name is None else name.hex(),
            target=target,
            chunks=tuple(chunks[at]) if at in chunks else (),
            uid=uid,
            gid=gid,
        )
