"""The history: tags, each a name for a root catalog that stays reachable, in a small SQLite database.

A table of Lode's own, which other tools do not look at, says when each revision became the present one: catalogs hold
no such time, so that the same trees give the same catalogs on any day.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from lode.errors import VerificationError
from lode.publishing.cvmfs.catalog import canonical, opened

TRUNK, PREVIOUS = "trunk", "trunk-previous"

_REVISIONS = 10_000  # that are remembered
_TABLES = """
PRAGMA page_size=4096;
CREATE TABLE properties (key TEXT, value TEXT, CONSTRAINT pk_properties PRIMARY KEY (key));
CREATE TABLE branches (branch TEXT, parent TEXT, initial_revision INTEGER, CONSTRAINT pk_branch PRIMARY KEY (branch));
CREATE TABLE tags (name TEXT, hash TEXT, revision INTEGER, timestamp INTEGER, channel INTEGER, description TEXT,
 size INTEGER, branch TEXT, CONSTRAINT pk_tags PRIMARY KEY (name));
CREATE TABLE recycle_bin (hash TEXT, flags INTEGER, CONSTRAINT pk_hash PRIMARY KEY (hash));
CREATE TABLE lode_revisions (revision INTEGER PRIMARY KEY, root TEXT, time INTEGER);
INSERT INTO branches VALUES ('', NULL, 0);
"""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Tag:
    """A name for a revision."""

    name: str
    root: str  # hash of the root catalog
    root_bytes: int  # uncompressed
    revision: int
    time: int  # of the revision's publication, seconds since 1970
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Past:
    """A revision that was published, or is the present one."""

    revision: int
    root: str  # hash of the root catalog
    time: int  # when it became the present one, seconds since 1970


def dump(fqrn: str, tags: Iterable[Tag], past: Iterable[Past] = ()) -> bytes:
    """Return the database of `tags`, whose names must differ, and of the latest revisions of `past`."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript(_TABLES)
        database.executemany(
            "INSERT INTO properties VALUES (?,?)", [("fqrn", fqrn), ("schema", "1.0"), ("schema_revision", "3")]
        )
        database.executemany(
            "INSERT INTO tags VALUES (?,?,?,?,0,?,?,'')",
            [(one.name, one.root, one.revision, one.time, one.description, one.root_bytes) for one in sorted(tags)],
        )
        database.executemany(
            "INSERT INTO lode_revisions VALUES (?,?,?)",
            [(one.revision, one.root, one.time) for one in sorted(past)[-_REVISIONS:]],
        )
        return canonical(database.serialize())


def load(content: bytes) -> tuple[Tag, ...]:
    """Return the tags in the database `content`, sorted by name; VerificationError when it cannot be read."""
    with closing(opened(content, "the history of tags")) as database:
        try:
            rows = database.execute("SELECT name, hash, size, revision, timestamp, description FROM tags ORDER BY name")
            return tuple(
                Tag(name=name, root=root, root_bytes=size, revision=revision, time=time, description=description)
                for name, root, size, revision, time, description in rows
            )
        except sqlite3.Error as error:
            raise VerificationError(f"the history of tags is damaged: {error}") from error


def load_past(content: bytes) -> tuple[Past, ...]:
    """Return the revisions in the database `content`, oldest first; none where another tool has written it."""
    with closing(opened(content, "the history of tags")) as database:
        try:
            rows = database.execute("SELECT revision, root, time FROM lode_revisions ORDER BY revision").fetchall()
        except sqlite3.OperationalError:
            return ()
        except sqlite3.Error as error:
            raise VerificationError(f"the history of tags is damaged: {error}") from error
    return tuple(Past(revision=revision, root=root, time=time) for revision, root, time in rows)


def moved(tags: Iterable[Tag], head: Tag, previous: Tag | None) -> tuple[Tag, ...]:
    """Return `tags` with `trunk` at `head`, `trunk-previous` at `previous`, and the rest as it was."""
    kept = [tag for tag in tags if tag.name not in (TRUNK, PREVIOUS)]
    return tuple(sorted([*kept, head, *([previous] if previous else [])]))
