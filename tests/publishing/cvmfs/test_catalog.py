"""Catalogs and tags as databases: what goes in comes out, and the bytes are always the same."""

from __future__ import annotations

import hashlib
import resource
import signal
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from lode.errors import HostError, VerificationError
from lode.publishing.cvmfs import catalog, history
from lode.publishing.cvmfs.history import Tag
from lode.publishing.cvmfs.rows import CHUNKED, FILE, LINK, MOUNT_POINT, Catalog, Chunk, Counters, Nested, Row, folder

HASH = "0123456789abcdef0123456789abcdef01234567"
CATALOG = Catalog(
    prefix=b"",
    rows=(
        folder(b"", folders=2, mtime=1),
        folder(b"/a", folders=0, mtime=-1),
        Row(path=b"/a/f\xff", flags=FILE, mode=0o100644, size=3, mtime=1, links=1, hash=HASH),
        Row(path=b"/a/l", flags=FILE | LINK, mode=0o120777, size=2, mtime=1, links=1, target=b"\xfe."),
        Row(
            path=b"/big",
            flags=FILE | CHUNKED,
            mode=0o104755,
            size=9,
            mtime=1,
            links=1,
            chunks=(Chunk(offset=0, size=5, hash=HASH), Chunk(offset=5, size=4, hash=HASH[::-1])),
        ),
        folder(b"/n", folders=0, mtime=1, flags=1 | MOUNT_POINT),
    ),
    nested=(Nested(path=b"/n", hash=HASH, size=5),),
    below=Counters(regular=7, dir=1, file_size=70),
    properties={"TTL": "240", "revision": "3", "schema": "2.5", "schema_revision": "6"},
)
# Of the database; changing it is a format change: the root hashes of all repositories move.
DIGEST = "4d4c30377a750f270bb681c88dcfc1728344dedd67dca69a6ed960885dc97d9f"


def test_catalog_comes_back_as_it_was() -> None:
    assert catalog.load(catalog.dump(CATALOG)) == CATALOG


def test_catalog_has_the_same_bytes_whichever_library_writes_it() -> None:
    assert hashlib.sha256(catalog.dump(CATALOG)).hexdigest() == DIGEST


def test_catalog_that_goes_on_in_a_file_has_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def written(held: int) -> tuple[bytes, Counters]:
        writer = catalog.Writer(held=held)
        writer.add(folder(b"", folders=0, mtime=1))
        for first in range(0, 9000, 3000):
            names = (b"f%d" % number for number in range(first, first + 3000))
            writer.add_files(b"", [(name, HASH, 3, 0o100644) for name in names], mtime=1)
        assert list(tmp_path.iterdir()) == []  # a killed publisher leaves nothing
        return writer.finish(b"", [Nested(path=b"/n", hash=HASH, size=5)], Counters(dir=1), {"revision": "1"})

    assert written(held=4000) == written(held=10_000)
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_a_large_catalog_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    writer = catalog.Writer(held=1)
    with pytest.raises(HostError, match=r"a catalog cannot be written in .*gone: .*No such file"), closing(writer):
        writer.add_files(b"", [(b"f%d" % number, HASH, 3, 0o100644) for number in range(2000)], mtime=1)


def test_full_disk_under_a_large_catalog_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    writer = catalog.Writer(held=1)
    writer.add_files(b"", [(b"f%d" % number, HASH, 3, 0o100644) for number in range(2000)], mtime=1)

    def fill(writer: catalog.Writer) -> None:
        for first in range(10, 40):
            writer.add_files(b"", [(b"%d-%d" % (first, n), HASH, 3, 0o100644) for n in range(2000)], mtime=1)
        writer.finish(b"", [], Counters(), {})

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(HostError, match="a catalog cannot be written in"):
            fill(writer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_numbers_are_those_of_the_rows() -> None:
    assert catalog.total(catalog.dump(CATALOG)) == CATALOG.total == Counters(
        regular=9, symlink=1, dir=4, nested=1, chunked=1, chunks=2, file_size=82, chunked_size=9
    )  # fmt: skip


def test_references_name_every_object() -> None:
    assert catalog.references(catalog.dump(CATALOG)) == (
        {bytes.fromhex(HASH)},
        {bytes.fromhex(HASH), bytes.fromhex(HASH[::-1])},
        CATALOG.nested,
    )


@pytest.mark.parametrize("spoil", [b"", b"not a database", None])
def test_what_is_no_catalog_is_refused(spoil: bytes | None) -> None:
    content = catalog.dump(CATALOG)[:9000] if spoil is None else spoil
    for read in (catalog.load, catalog.total, catalog.references):
        with pytest.raises(VerificationError, match=r"^a catalog is damaged"):
            read(content)


def test_tags_come_back_sorted() -> None:
    tags = [
        Tag(name=name, root=HASH, root_bytes=5, revision=2, time=7, description="né") for name in ("trunk", "2026.11")
    ]
    assert history.load(history.dump("t.example.org", tags)) == (tags[1], tags[0])
    with pytest.raises(VerificationError, match=r"^the history of tags is damaged"):
        history.load(b"no database at all")
