"""File catalogs as SQLite databases (schema 2.5, revision 6): the same catalog always gives the same bytes."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing

from lode.errors import VerificationError
from lode.publishing.cvmfs.rows import COUNTERS, Catalog, Chunk, Counters, Nested, Row

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
_MD5 = struct.Struct("<qq")


def path_hash(path: bytes) -> tuple[int, int]:
    """Return the two signed halves of the MD5 of `path` as catalogs hold them."""
    first, second = _MD5.unpack(hashlib.md5(path, usedforsecurity=False).digest())
    return first, second


def dump(catalog: Catalog) -> bytes:
    """Return the database of `catalog`, rows in the order given."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript(_TABLES)
        database.execute("BEGIN")
        database.executemany(_ROW, _row_values(catalog))
        database.execute("CREATE INDEX idx_catalog_parent ON catalog (parent_1, parent_2)")
        database.executemany(
            "INSERT INTO chunks VALUES (?,?,?,?,?)",
            (
                (*path_hash(row.path), chunk.offset, chunk.size, bytes.fromhex(chunk.hash))
                for row in catalog.rows
                for chunk in row.chunks
            ),
        )
        database.executemany(
            "INSERT INTO nested_catalogs VALUES (CAST(? AS TEXT),?,?)",
            sorted((one.path, one.hash, one.size) for one in catalog.nested),
        )
        database.executemany("INSERT INTO statistics VALUES (?,?)", _statistics(catalog))
        database.executemany("INSERT INTO properties VALUES (?,?)", _properties(catalog))
        database.execute("COMMIT")
        return canonical(database.serialize())


def load(content: bytes) -> Catalog:
    """Return the catalog in the database `content`; VerificationError when it cannot be read as one."""
    with closing(opened(content, "a catalog")) as database:
        try:
            properties = {
                bytes(key).decode(): bytes(value).decode()
                for key, value in database.execute(
                    "SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM properties ORDER BY key"
                )
            }
            prefix = properties.get("root_prefix", "").encode()
            statistics: dict[str, int] = dict(database.execute("SELECT counter, value FROM statistics"))
            return Catalog(
                prefix=prefix,
                rows=tuple(_rows(database, prefix)),
                nested=_nested(database),
                below=Counters(**{name: statistics[f"subtree_{name}"] for name in COUNTERS}),
                properties=properties,
            )
        except (sqlite3.Error, KeyError, ValueError, TypeError) as error:
            raise VerificationError(f"a catalog is damaged: {error}") from error


def total(content: bytes) -> Counters:
    """Return the numbers of a catalog and all below it, from what its database says of itself."""
    with closing(opened(content, "a catalog")) as database:
        try:
            statistics: dict[str, int] = dict(database.execute("SELECT counter, value FROM statistics"))
            return Counters(**{name: statistics[f"self_{name}"] + statistics[f"subtree_{name}"] for name in COUNTERS})
        except (sqlite3.Error, KeyError) as error:
            raise VerificationError(f"a catalog is damaged: {error}") from error


def references(content: bytes) -> tuple[set[str], set[str], tuple[Nested, ...]]:
    """Return the hashes of the files, those of the chunks, and the catalogs directly below that a catalog refers to."""
    with closing(opened(content, "a catalog")) as database:
        try:
            files = {row[0].hex() for row in database.execute("SELECT DISTINCT hash FROM catalog WHERE hash NOTNULL")}
            chunks = {row[0].hex() for row in database.execute("SELECT DISTINCT hash FROM chunks")}
            return files, chunks, _nested(database)
        except (sqlite3.Error, AttributeError) as error:
            raise VerificationError(f"a catalog is damaged: {error}") from error


def opened(content: bytes, what: str) -> sqlite3.Connection:
    """Return the database `content`, in memory; VerificationError when it is none. What is in it may still be wrong."""
    if not content.startswith(b"SQLite format 3\0"):
        raise VerificationError(f"{what} is damaged: it is not a database")
    database = sqlite3.connect(":memory:")
    database.deserialize(content)
    return database


def _row_values(catalog: Catalog) -> Iterator[tuple[object, ...]]:
    hashes: dict[bytes, tuple[int, int]] = {}
    for row in catalog.rows:
        parent = row.parent
        if row.path and parent not in hashes:
            hashes[parent] = path_hash(parent)
        own = path_hash(row.path)
        yield (
            *own,
            *(hashes[parent] if row.path else (0, 0)),
            row.links,
            bytes.fromhex(row.hash) if row.hash else None,
            row.size,
            row.mode,
            row.mtime,
            row.flags,
            row.name,
            row.target,
            row.uid,
            row.gid,
        )


def _statistics(catalog: Catalog) -> Iterator[tuple[str, int]]:
    for scope, counters in (("self", catalog.counters), ("subtree", catalog.below)):
        yield from ((f"{scope}_{name}", getattr(counters, name)) for name in COUNTERS)


def _properties(catalog: Catalog) -> list[tuple[str, str]]:
    properties = {**catalog.properties, "schema": "2.5", "schema_revision": "6"}
    if catalog.prefix:
        properties["root_prefix"] = catalog.prefix.decode()
    return sorted(properties.items())


def canonical(content: bytes) -> bytes:
    """Return the database with what its header says of the writing library made constant (sqlite.org/fileformat2, 1.3).

    The version-valid-for number must equal the change counter, else the size in the header would not count.
    """
    counter = struct.pack(">I", 1)
    return content[:24] + counter + content[28:92] + counter + struct.pack(">I", _SQLITE_VERSION) + content[96 + 4 :]


def _nested(database: sqlite3.Connection) -> tuple[Nested, ...]:
    rows = database.execute("SELECT CAST(path AS BLOB), sha1, size FROM nested_catalogs ORDER BY path")
    return tuple(Nested(path=path, hash=name, size=size) for path, name, size in rows)


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
    for row in database.execute(
        "SELECT md5path_1, md5path_2, parent_1, parent_2, hardlinks, hash, size, mode, mtime, flags, "
        "CAST(name AS BLOB), CAST(symlink AS BLOB), uid, gid FROM catalog ORDER BY rowid"
    ):
        at, parent = (row[0], row[1]), (row[2], row[3])
        path = prefix if at == own else paths.get(parent, b"?") + b"/" + row[10]
        if path_hash(path) != at:
            raise ValueError(f"the row of {row[10]!r} is not at the hash of its path")
        if row[9] & 1:
            paths[at] = path
        yield Row(
            path=path,
            flags=row[9],
            mode=row[7],
            size=row[6],
            mtime=row[8],
            links=row[4],
            hash=row[5].hex() if row[5] is not None else None,
            target=row[11],
            chunks=tuple(chunks.get(at, ())),
            uid=row[12],
            gid=row[13],
        )
