"""What is wrong within one catalog: each fault is named, and a sound catalog has none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from lode.errors import VerificationError
from lode.publishing.cvmfs import catalog, findings
from lode.publishing.cvmfs.findings import Findings
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.rows import (
    CHUNKED,
    DIRECTORY,
    FILE,
    LINK,
    MOUNT_POINT,
    NESTED_ROOT,
    Catalog,
    Chunk,
    Counters,
    Nested,
    Row,
    folder,
    marker,
)

ONE, TWO = "11" * 20, "22" * 20
FILE_ROW = Row(path=b"/s/d/f\xff", flags=FILE, mode=0o100644, size=3, mtime=1, links=1, hash=ONE)
LINK_ROW = Row(path=b"/s/d/l", flags=FILE | LINK, mode=0o120777, size=2, mtime=1, links=1, target=b"\xfe.")
BIG_ROW = Row(
    path=b"/s/big",
    flags=FILE | CHUNKED,
    mode=0o104755,
    size=9,
    mtime=1,
    links=1,
    chunks=(Chunk(offset=0, size=5, hash=ONE), Chunk(offset=5, size=4, hash=TWO)),
)
SOUND = Catalog(
    prefix=b"/s",
    rows=(
        folder(b"/s", folders=2, mtime=1, flags=DIRECTORY | NESTED_ROOT),
        marker(b"/s", TWO, mtime=1),
        BIG_ROW,
        folder(b"/s/d", folders=0, mtime=1),
        FILE_ROW,
        LINK_ROW,
        folder(b"/s/n", folders=0, mtime=1, flags=DIRECTORY | MOUNT_POINT),
    ),
    nested=(Nested(path=b"/s/n", hash=ONE, size=5),),
    below=Counters(regular=7, dir=1, file_size=70),
)
Named = list[tuple[Kind, bytes, bytes]]


def found(content: bytes) -> tuple[Findings, Named]:
    named: Named = []
    result = findings.find(content, lambda kind, some: named.extend((kind, *one) for one in some))
    return result, named


def with_row(old: Row, new: Row) -> Catalog:
    return replace(SOUND, rows=tuple(new if row is old else row for row in SOUND.rows))


def test_sound_catalog_has_no_faults_and_names_its_objects() -> None:
    content = catalog.dump(SOUND)
    result, named = found(content)
    assert result.faults == ()
    assert (result.prefix, result.size, result.entries) == (b"/s", len(content), 7)
    assert result.own == result.counters == SOUND.counters
    assert result.below == SOUND.below
    assert result.top == (4, 4096, 0o40755, 1, 0, 0)
    assert result.mounts == {b"/s/n": (2, 4096, 0o40755, 1, 0, 0)}
    assert sorted(named, key=lambda one: (one[2], one[1])) == [
        (Kind.FILE, bytes.fromhex(TWO), b"/s/.cvmfscatalog"),
        (Kind.CHUNK, bytes.fromhex(ONE), b"/s/big"),
        (Kind.CHUNK, bytes.fromhex(TWO), b"/s/big"),
        (Kind.FILE, bytes.fromhex(ONE), b"/s/d/f\xff"),
    ]


CHUNKS = BIG_ROW.chunks
BROKEN = [
    (with_row(FILE_ROW, replace(FILE_ROW, hash=None)), r"/s/d/f\udcff is a file without content"),
    (with_row(FILE_ROW, replace(FILE_ROW, mode=0o010644)), r"/s/d/f\udcff is a file with the mode of none"),
    (with_row(FILE_ROW, replace(FILE_ROW, target=b"x")), r"/s/d/f\udcff is a file with the mode of none"),
    (with_row(LINK_ROW, replace(LINK_ROW, size=3)), "/s/d/l is a link that does not hold together"),
    (with_row(LINK_ROW, replace(LINK_ROW, hash=ONE)), "/s/d/l is a link that does not hold together"),
    (with_row(BIG_ROW, replace(BIG_ROW, chunks=CHUNKS[1:])), "/s/big has no chunk at byte 0"),
    (with_row(BIG_ROW, replace(BIG_ROW, size=10)), "/s/big has 9 bytes in chunks instead of 10"),
    (with_row(BIG_ROW, replace(BIG_ROW, chunks=())), "/s/big has 0 bytes in chunks instead of 9"),
    (with_row(SOUND.rows[3], replace(SOUND.rows[3], links=5)), "/s/d has 5 links instead of 2"),
    (
        with_row(SOUND.rows[3], replace(SOUND.rows[3], mode=0o100755)),
        "/s/d is a folder with the mode or content of none",
    ),
    (with_row(SOUND.rows[3], replace(SOUND.rows[3], hash=ONE)), "/s/d is a folder with the mode or content of none"),
    (replace(SOUND, nested=()), "the catalog of /s: its mount points are not those of its list of catalogs"),
    (
        replace(SOUND, rows=(SOUND.rows[0], *SOUND.rows[2:])),
        "the catalog of /s: its marker is missing",
    ),
    (
        with_row(SOUND.rows[0], replace(SOUND.rows[0], flags=DIRECTORY)),
        "the catalog of /s does not begin with its folder",
    ),
    (
        Catalog(prefix=b"", rows=(folder(b"", folders=0, mtime=1), marker(b"", TWO, mtime=1))),
        "the catalog of /: its marker is in the root folder",
    ),
]


@pytest.mark.parametrize(("broken", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_fault_is_named(broken: Catalog, message: str) -> None:
    assert found(catalog.dump(broken))[0].faults == (message,)


def edited(*statements: str) -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.deserialize(catalog.dump(SOUND))
        for statement in statements:
            database.execute(statement)
        return database.serialize()


def test_entry_that_is_there_twice_is_named() -> None:
    content = edited(
        "CREATE TABLE other AS SELECT * FROM catalog",
        "INSERT INTO other SELECT * FROM catalog WHERE name = 'l'",
        "DROP TABLE catalog",
        "ALTER TABLE other RENAME TO catalog",
    )
    assert found(content)[0].faults == ("the catalog of /s has an entry twice",)


def test_numbers_that_are_not_those_of_the_rows_show() -> None:
    result, _ = found(edited("UPDATE statistics SET value = value + 1 WHERE counter = 'self_symlink'"))
    assert result.own != result.counters == SOUND.counters


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE catalog SET name = 'other' WHERE name = 'big'", "the row of b'other' is not at the hash of its path"),
        ("DELETE FROM catalog WHERE name = 'd'", r"the row of b'f\xff' is not at the hash of its path"),
        ("DELETE FROM catalog WHERE name = 's'", "the row of b'.cvmfscatalog' is not at the hash of its path"),
        ("DELETE FROM catalog", "it does not hold its own folder"),
        ("DELETE FROM statistics WHERE counter = 'self_dir'", "'self_dir'"),
        ("DROP TABLE chunks", "no such table: chunks"),
    ],
)
def test_what_is_no_catalog_is_refused(statement: str, message: str) -> None:
    with pytest.raises(VerificationError) as error:
        found(edited(statement))
    assert str(error.value) == f"a catalog is damaged: {message}"
