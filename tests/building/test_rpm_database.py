"""A database of RPM packages that tells no time of installation."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from lode.building import rpm_database
from lode.errors import BuildError

NAME, TIME, TRANSACTION, SIZE = 1000, 1008, 1128, 1009


def header(name: str, installed: int) -> bytes:
    """Return a package's header as rpm keeps it: counts, entries of tag, type, offset and count, data."""
    text = name.encode() + b"\0" * (4 - len(name) % 4)
    values = [(NAME, 6, 0, 1), (SIZE, 4, len(text), 1), (TIME, 4, len(text) + 4, 1), (TRANSACTION, 4, len(text) + 8, 1)]
    data = text + struct.pack(">3I", 77, installed, installed)
    return struct.pack(">2I", len(values), len(data)) + b"".join(struct.pack(">4I", *one) for one in values) + data


def database(root: Path, installed: int, place: str = "var/lib/rpm") -> Path:
    file = root / place / "rpmdb.sqlite"
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        made.execute("CREATE TABLE Installtid (key BLOB NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
        for number, name in enumerate(("bash", "glibc"), 1):
            made.execute("INSERT INTO Packages (blob) VALUES (?)", (header(name, installed + number),))
            made.execute("INSERT INTO Installtid VALUES (?, ?, 0)", (struct.pack("=I", installed), number))
        made.commit()
    return file


@pytest.mark.parametrize("place", ["var/lib/rpm", "usr/lib/sysimage/rpm"])
def test_database_is_the_same_whenever_its_packages_were_installed(tmp_path: Path, place: str) -> None:
    files = [database(tmp_path / str(moment), moment, place) for moment in (1_790_000_000, 1_795_555_555)]
    assert files[0].read_bytes() != files[1].read_bytes()
    for file, root in zip(files, ("1790000000", "1795555555"), strict=True):
        rpm_database.settle(tmp_path / root, 946684800)
        assert [path.name for path in file.parent.iterdir()] == ["rpmdb.sqlite"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_only_the_times_are_changed(tmp_path: Path) -> None:
    file = database(tmp_path, 1_790_000_000)
    rpm_database.settle(tmp_path, 946684800)
    with closing(sqlite3.connect(file)) as there:
        assert there.execute("SELECT blob FROM Packages ORDER BY hnum").fetchall() == [
            (header(name, 946684800),) for name in ("bash", "glibc")
        ]
        assert there.execute("SELECT DISTINCT key FROM Installtid").fetchall() == [(struct.pack("=I", 946684800),)]


def test_system_without_a_database_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    rpm_database.settle(tmp_path, 1)
    assert [path.name for path in tmp_path.rglob("*")] == ["usr"]


def test_damaged_database_is_named(tmp_path: Path) -> None:
    database(tmp_path, 1).write_bytes(b"SQLite format 3\0 and no more" * 100)
    with pytest.raises(BuildError) as caught:
        rpm_database.settle(tmp_path, 1)
    assert str(caught.value).startswith(
        "the system's database of RPM packages, var/lib/rpm/rpmdb.sqlite, cannot be read: "
    )


@pytest.mark.parametrize("name", ["var/lib/rpm/Packages", "var/lib/rpm/Name", "var/lib/rpm/__db.001"])
def test_files_of_the_old_database_are_known(name: str) -> None:
    assert rpm_database.OLD.fullmatch(name)
    assert not rpm_database.OLD.fullmatch("var/lib/rpm/rpmdb.sqlite")
