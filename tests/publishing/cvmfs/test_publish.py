"""Publishing trees, read back by a reader that shares no code with the publisher."""

from __future__ import annotations

import datetime
import os
import shutil
import stat
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.cvmfs.ground import FQRN, MOUNT, MTIME, NOW, REPOSITORY, Failing, Ground, plant, seal, source

from lode.definitions.repository import Compression
from lode.errors import PublicationError
from lode.publishing.cvmfs import compress
from lode.publishing.cvmfs.cache import Cache, Content
from lode.publishing.cvmfs.rows import Chunk

TREE: dict[str, bytes | str | None] = {
    "bin/tool": b"#!/bin/sh\n",
    "bin/link": "tool",
    "empty": None,
    "none": b"",
    "big.bin": os.urandom(200_000),
    "edge.bin": b"x" * (1 << 16),
    "lib/python3.13/site.py": b"import sys\n",
    "lib/python3.13/deep/er/a.py": b"1\n",
    "same": b"#!/bin/sh\n",
    "a-b": b"before a/",
    "name with\nnewline": b"n",
    "loop": "loop",
}


def tree(folder: Path, **more: object) -> Path:
    root = plant(folder, {**TREE, "na\udcffme": b"not UTF-8", "d\udcfe/x": b"nor this"}, extra=300)
    (root / "bin/tool").chmod(0o4755)
    (root / "empty").chmod(0o1777)
    os.link(root / "same", root / "same too")
    seal(root)
    return root


def test_published_tree_is_read_back_entry_by_entry(ground: Ground, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    made = ground.publish(source(root))
    assert (made.revision, made.new, made.changed) == (2, True, (MOUNT,))
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    assert reader.compare(mounted, MOUNT, root, mtime=MTIME) == 331
    assert mounted.fields["C"] == made.root
    assert list(mounted.catalogs)[-3:] == [MOUNT.encode(), b"/mini", b""]
    assert (MOUNT + "/lib/python3.13").encode() in mounted.catalogs
    assert (MOUNT + "/share").encode() in mounted.catalogs
    assert stat.S_IMODE(mounted.nodes[(MOUNT + "/bin/tool").encode()].mode) == 0o4755


def test_what_a_stratum_1_compresses_anew_gets_the_same_name_there(ground: Ground) -> None:
    body = ground.fetch(".cvmfspublished").partition(b"\n--\n")[0]  # bytes of the signature may look like a field
    fields = {line[:1]: line[1:] for line in body.decode().splitlines()}
    for letter in "XM":
        name = fields[letter]
        stored = ground.fetch(f"data/{name[:2]}/{name[2:]}{letter}")
        assert stored == zlib.compress(zlib.decompress(stored))


def test_replaced_zlib_is_warned_of(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compress, "is_original", lambda: False)
    assert ground.publish(source(plant(tmp_path / "tree", {"a": b"1"}))).warnings == (
        "this Python's zlib is not the original one: Stratum 1 servers would serve a damaged certificate. Publish with "
        "another Python, such as the system's",
    )


def test_publishing_again_makes_no_revision(ground: Ground, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    ground.publish(source(root))
    before = ground.fetch(".cvmfspublished")
    ground.cache_file.unlink()
    for _ in range(2):  # without and with memory
        again = ground.publish(source(root))
        assert (again.revision, again.new, again.unchanged) == (2, False, (MOUNT,))
        assert ground.fetch(".cvmfspublished") == before


def test_whoever_publishes_and_whenever_makes_the_same_root(tmp_path: Path, key_folder: Path) -> None:
    root = tree(tmp_path / "tree")
    shutil.copytree(root, tmp_path / "copy", symlinks=True)
    for path in (tmp_path / "copy").rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    later = NOW + datetime.timedelta(days=3)
    mine = Ground(tmp_path / "mine", key_folder).create()
    theirs = Ground(tmp_path / "theirs", tmp_path / "other keys").create(later)
    assert mine.publish(source(root)).root == theirs.publish(source(tmp_path / "copy"), now=later).root
    assert mine.fetch(".cvmfspublished") != theirs.fetch(".cvmfspublished")


def test_unchanged_files_are_never_read_again(ground: Ground, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    ground.publish(source(root))
    (root / "bin/tool").write_bytes(b"#!/bin/bash\n")
    seal(root)
    read = source(root)
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.name not in ("tool", "inventory.jsonl"):
            path.unlink()
    assert ground.publish(read).revision == 3


def test_trees_are_added_replaced_and_removed_together(ground: Ground, tmp_path: Path) -> None:
    first, second = plant(tmp_path / "1", {"a": b"1"}), plant(tmp_path / "2", {"b": b"2", "c/d": b"3"})
    other = MOUNT.replace("2026.11", "2026.12")
    alone = "/other/1/el9-x86_64"
    made = ground.publish(source(first), source(second, other), source(first, alone))
    assert made.changed == (MOUNT, other, alone)
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    for root, mount in ((first, MOUNT), (second, other), (first, alone)):
        reader.compare(mounted, mount, root, mtime=MTIME)
    made = ground.publish(source(second), remove=[other, alone])
    assert (made.revision, made.changed, made.removed) == (3, (MOUNT,), (other, alone))
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    reader.compare(mounted, MOUNT, second, mtime=MTIME)
    assert sorted(mounted.catalogs) == [b"", b"/mini", MOUNT.encode()]


def test_file_that_differs_from_the_inventory_stops_the_publication(ground: Ground, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    before = ground.fetch(".cvmfspublished")
    (root / "big.bin").write_bytes(os.urandom(200_000))
    with pytest.raises(PublicationError) as error:
        ground.publish(source(root))
    assert str(error.value) == (
        "big.bin is not the file of the tree's inventory\n"
        "  hint: something wrote to the tree; install it again. Nothing was published"
    )
    assert ground.fetch(".cvmfspublished") == before


@pytest.mark.parametrize("spoil", ["longer", "shorter", "missing", "link"])
def test_changed_file_is_found_however_it_changed(ground: Ground, tmp_path: Path, spoil: str) -> None:
    root = plant(tmp_path / "tree", {"f": b"x" * 70_000, "g": b"y"})
    match spoil:
        case "longer":
            (root / "f").write_bytes(b"x" * 70_001)
        case "shorter":
            (root / "f").write_bytes(b"x" * 65_536)
        case "missing":
            (root / "f").unlink()
        case "link":
            (root / "f").unlink()
            (root / "f").symlink_to("g")
    with pytest.raises(PublicationError, match=r"^f (is not the file|cannot be read)"):
        ground.publish(source(root))


def test_marker_in_the_tree_is_refused(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a/.cvmfscatalog": b""})
    with pytest.raises(PublicationError, match=r"^a/\.cvmfscatalog is in the tree"):
        ground.publish(source(root))


def test_link_that_clients_would_change_is_refused(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"lib/plain": "$HOME/$(open", "lib/a": "../$(HOME:-/)/b"})
    with pytest.raises(PublicationError) as error:
        ground.publish(source(root))
    assert str(error.value) == (
        "lib/a is a link to ../$(HOME:-/)/b, which clients would replace by the value of a variable\n"
        "  hint: make it lead to a path without $(…)"
    )


def test_path_that_is_no_release_is_refused(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b""})
    for mount in ("/mini/2026.11", "/mini/../x", "/a/b/c/d", "/mini/2026.11/x\n"):
        with pytest.raises(PublicationError, match="is no path to publish at"):
            ground.publish(source(root, mount))


def test_expired_whitelist_stops_the_publication(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b""})
    with pytest.raises(PublicationError, match=r"^the whitelist expired on 2026-12-22 12:30 UTC"):
        ground.publish(source(root), now=NOW + datetime.timedelta(days=30))
    soon = ground.publish(source(root), now=NOW + datetime.timedelta(days=29))
    assert soon.warnings == (
        "the whitelist expires on 2026-12-22 12:30 UTC: `lode cvmfs resign test.example.org` renews it",
    )


def test_clock_going_backwards_does_not_take_the_time_back(ground: Ground, tmp_path: Path) -> None:
    made = ground.publish(source(plant(tmp_path / "tree", {"a": b""})), now=NOW - datetime.timedelta(days=9))
    assert made.warnings[-1].startswith("this machine's clock is behind")
    assert reader.mount(ground.fetch, ground.public, FQRN, now=NOW).fields["T"] == str(int(NOW.timestamp()))


def test_second_writer_is_turned_away(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b""})
    with ground.stratum().storage.writer(), pytest.raises(PublicationError, match="another command is writing"):
        ground.publish(source(root))
    assert ground.publish(source(root)).revision == 2


def test_repository_of_another_layout_is_left_alone(ground: Ground, tmp_path: Path) -> None:
    from lode.publishing.cvmfs import stratum
    from lode.publishing.cvmfs.rows import folder

    there = ground.stratum()
    head = stratum.read(there)
    rows = (replace(head.root.rows[0], links=3), folder(b"/foreign", folders=0, mtime=1))
    stratum.commit(there, head, replace(head.root, rows=rows), head.tags, ground.key, now=NOW)
    with pytest.raises(PublicationError, match=r"^the catalog of / was not laid out by Lode"):
        ground.publish(source(plant(tmp_path / "tree", {"a": b""})))


@pytest.mark.parametrize("engine", ["zlib", "libdeflate"])
def test_every_engine_writes_what_clients_read(tmp_path: Path, key_folder: Path, engine: str) -> None:
    repository = replace(REPOSITORY, compression=Compression(engine=engine, level=3))
    other = Ground(tmp_path, key_folder, repository).create()
    root = tree(tmp_path / "tree")
    other.publish(source(root))
    reader.compare(reader.mount(other.fetch, other.public, FQRN, now=NOW), MOUNT, root, mtime=MTIME)


def test_contents_of_the_present_tree_are_taken_as_stored_without_a_look(ground: Ground, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    ground.publish(source(root))
    (root / "bin/tool").write_bytes(b"#!/bin/bash\n")
    seal(root)
    counting = Failing(ground.stratum().storage, 0, OSError())
    ground.publish(source(root), storage=counting)
    assert counting.calls < 60  # of 300 files
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    reader.compare(mounted, MOUNT, root, mtime=MTIME)


def test_cache_keeps_the_contents_of_the_latest_trees_only(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache.sqlite")
    chunk = Chunk(offset=0, size=1, hash="01" * 20)
    in_chunks = Content(size=1, hash=None, chunks=(chunk,), stored=(9,))
    stored = {"ab" * 32: Content(size=1, hash="cd" * 20, stored=(9,)), "ef" * 32: in_chunks}
    for number in range(25):
        cache.remember_held("form", f"{number:040x}", stored)
    assert cache.held("form", f"{24:040x}") == {"ab" * 32: stored["ab" * 32]}
    assert cache.held("form", f"{4:040x}") == {}
    assert cache.held("form", f"{5:040x}") != {}
    assert cache.held("other", f"{24:040x}") == {}
    cache.close()
