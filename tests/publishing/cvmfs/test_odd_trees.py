"""Trees that are odd, and trees that change while they are published."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.cvmfs.ground import FQRN, MOUNT, MTIME, NOW, Ground, plant, seal, source

from lode.errors import HostError, LodeError, PublicationError, VerificationError
from lode.progress import Silent
from lode.publishing.cvmfs import check, publish
from lode.publishing.cvmfs.cache import Cache


def same(ground: Ground, root: Path) -> int:
    return reader.compare(reader.mount(ground.fetch, ground.public, FQRN, now=NOW), MOUNT, root, mtime=MTIME)


def test_folder_of_many_entries_is_one_catalog_and_is_warned_of(ground: Ground, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    (root / "many").mkdir(parents=True)
    for number in range(20_000):
        (root / "many" / f"{number}").symlink_to("x")
    seal(root)
    made = ground.publish(source(root))
    assert made.warnings == (
        f"{MOUNT}: the catalog of many has 20002 entries, more than 1000: one folder alone holds that many",
    )
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    assert (MOUNT + "/many").encode() in mounted.catalogs
    assert same(ground, root) == 20_003
    found = check.check(ground.stratum(), now=NOW, jobs=2, progress=Silent())
    assert (found.faults, found.entries > 20_000) == ((), True)


def test_sparse_file_is_stored_by_its_bytes(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b"1"})
    with (root / "sparse").open("wb") as file:
        file.truncate(40 << 16)
        file.seek((20 << 16) + 5)
        file.write(b"in the middle")
    seal(root)
    ground.publish(source(root))
    assert same(ground, root) == 4
    chunks = list(ground.folder.glob("data/??/*P"))
    assert len(chunks) == 2  # 39 of the 40 are the same


def test_hard_links_are_files_of_the_same_object(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b"1" * 999, "d/x": b"2"})
    for name in ("b", "d/c"):
        os.link(root / "a", root / name)
    seal(root)
    ground.publish(source(root))
    copy = plant(tmp_path / "copy", {"a": b"1" * 999, "b": b"1" * 999, "d/c": b"1" * 999, "d/x": b"2"})
    assert publish_again(ground, copy) == ((), (MOUNT,))  # a link more or less is not another tree
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    assert {mounted.nodes[f"{MOUNT}/{name}".encode()].content() for name in ("a", "b", "d/c")} == {b"1" * 999}  # type: ignore[misc]


def test_extended_attributes_are_left_out(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b"1"})
    ground.publish(source(root))
    try:
        os.setxattr(root / "a", "user.note", b"seen")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    seal(root)
    assert publish_again(ground, root) == ((), (MOUNT,))


def publish_again(ground: Ground, root: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    made = ground.publish(source(root))
    return made.changed, made.unchanged


def test_links_in_circles_are_published_as_they_are(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": "b", "b": "a", "d/up": "..", "self": "self", "out": "/nowhere/at/all"})
    ground.publish(source(root))
    assert same(ground, root) == 8


@pytest.mark.parametrize("kind", ["fifo", "socket"])
def test_special_file_is_refused_with_its_path(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whether it was there when the inventory was made, or took the place of a file later."""
    root = plant(tmp_path / "tree", {"run/pipe": b"1"})
    before = source(root)
    (root / "run/pipe").unlink()
    monkeypatch.chdir(root / "run")  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("pipe") if kind == "socket" else os.mkfifo("pipe")
        with pytest.raises(VerificationError, match=f"^run/pipe is a {kind}"):
            seal(root)
        with pytest.raises(PublicationError, match=r"^run/pipe (is not the file of|cannot be read)"):
            ground.publish(before)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(3 << 16)
        file.write(b"other")


@pytest.mark.parametrize("spoil", [grow, overwrite, lambda path: os.truncate(path, 1 << 16)])
def test_file_that_changes_while_it_is_read_stops_the_publication(
    ground: Ground, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    root = plant(tmp_path / "tree", {"big": os.urandom(5 << 16)})
    before = ground.fetch(".cvmfspublished")
    there = ground.stratum()
    done: list[bytes] = []

    def deflate(content: bytes) -> bytes | bytearray:
        if len(content) == 1 << 16 and not done:  # the first piece has been read
            done.append(content)
            spoil(root / "big")
        return there.deflate(content)

    cache = Cache(ground.cache_file)
    with pytest.raises(PublicationError, match=r"^big is not the file of the tree's inventory"):
        publish.publish(
            replace(there, deflate=deflate), ground.key, [source(root)], cache=cache, now=NOW, jobs=1, progress=Silent()
        )
    cache.close()
    assert done
    assert ground.fetch(".cvmfspublished") == before


def test_cache_on_a_full_disk_is_told_and_nothing_is_published(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {}, extra=500)
    before = ground.fetch(".cvmfspublished")
    cache = Cache(ground.cache_file)
    cache._database.execute("PRAGMA max_page_count=8")  # as SQLite meets a full disk
    with pytest.raises(HostError) as error:
        publish.publish(ground.stratum(), ground.key, [source(root)], cache=cache, now=NOW, jobs=1, progress=Silent())
    cache.close()
    assert str(error.value) == (
        f"the publisher's cache {ground.cache_file} cannot be used: database or disk is full\n"
        "  hint: free some space, or remove the file: what it remembers is found again"
    )
    assert ground.fetch(".cvmfspublished") == before
    assert ground.publish(source(root)).new


def test_cache_that_another_process_holds_is_not_thrown_away(ground: Ground) -> None:
    cache = Cache(ground.cache_file)
    cache.remember_held("form", "ab" * 20, {})
    cache._database.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LodeError, match="cannot be used: database is locked"):
        Cache(ground.cache_file, timeout_s=0)
    cache._database.execute("ROLLBACK")
    cache.close()
    assert ground.cache_file.exists()
