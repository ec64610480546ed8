from __future__ import annotations

import errno
import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.building.factory import artifact, graph, node

from lode.building.cache import Cache, FolderStore
from lode.errors import HostError
from lode.process import Cancelled

ZLIB = graph(node("zlib"))["zlib"]
HASH = next(iter(ZLIB.hashes.values()))


def test_what_is_put_is_got_and_lies_in_the_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert cache.get(HASH) is None
    given = artifact(ZLIB, tmp_path / "work")
    kept = cache.put(given)
    given.path.unlink()
    assert kept.path.is_relative_to(tmp_path / "cache")
    assert kept == replace(given, path=kept.path)
    assert cache.get(HASH) == cache.peek(HASH) == kept


def test_a_damaged_package_counts_as_missing_and_is_noted(tmp_path: Path) -> None:
    notes: list[str] = []
    cache = Cache(tmp_path / "cache", note=notes.append)
    kept = cache.put(artifact(ZLIB, tmp_path))
    kept.path.write_bytes(b"zliB")
    assert cache.peek(HASH) == kept  # same size: only reading tells
    assert cache.get(HASH) is None
    assert notes == [f"the cached zlib 1.0 is damaged ({kept.path}): built again"]
    kept.path.write_bytes(b"z")
    assert cache.peek(HASH) is None
    kept.path.unlink()
    assert cache.peek(HASH) is None
    assert cache.get(HASH) is None


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[]", b'{"schema": 2}', b'{"schema": 1, "node_hash": "x"}'])
def test_a_damaged_entry_counts_as_missing_and_is_noted(tmp_path: Path, content: bytes) -> None:
    notes: list[str] = []
    cache = Cache(tmp_path, note=notes.append)
    cache.put(artifact(ZLIB, tmp_path / "work"))
    (entry,) = (tmp_path / "nodes").rglob("*.json")
    entry.write_bytes(content)
    assert cache.get(HASH) is None
    assert notes == [f"the cache entry {entry} is damaged: built again"]


def test_an_entry_cannot_point_out_of_the_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.put(artifact(ZLIB, tmp_path))
    (entry,) = (tmp_path / "cache" / "nodes").rglob("*.json")
    document = json.loads(entry.read_bytes())
    document["file"] = "../../../etc/passwd"
    entry.write_text(json.dumps(document))
    assert cache.get(HASH) is None


def test_an_entry_under_another_hash_is_not_taken(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(artifact(ZLIB, tmp_path / "work"))
    other = graph(node("zlib", version="2"))["zlib"].hashes["debian12-x86_64"]
    (entry,) = (tmp_path / "nodes").rglob("*.json")
    wrong = tmp_path / "nodes" / other[:2] / f"{other}.json"
    wrong.parent.mkdir(exist_ok=True)
    os.link(entry, wrong)
    assert cache.get(other) is None


def test_a_store_behind_fills_the_cache_and_gets_what_is_new(tmp_path: Path) -> None:
    shared = FolderStore(tmp_path / "shared")
    Cache(tmp_path / "one", behind=shared).put(artifact(ZLIB, tmp_path))
    two = Cache(tmp_path / "two", behind=shared)
    got = two.get(HASH)
    assert got is not None
    assert got.path.is_relative_to(tmp_path / "two")
    assert Cache(tmp_path / "two").get(HASH) == got
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["nodes", "packages"]


def test_a_damaged_package_behind_is_not_taken(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    kept = Cache(shared).put(artifact(ZLIB, tmp_path))
    kept.path.unlink()
    kept.path.write_bytes(b"ZLIB")
    assert Cache(tmp_path / "two", behind=FolderStore(shared)).get(HASH) is None


def test_a_folder_store_has_what_was_put(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    (tmp_path / "blob").write_bytes(b"blob")
    assert not store.has("a/b")
    assert not store.get("a/b", tmp_path / "out")
    store.put("a/b", tmp_path / "blob")
    store.put("a/b", tmp_path / "blob")
    assert store.has("a/b")
    assert store.get("a/b", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"blob"
    assert [path.name for path in (tmp_path / "store" / "a").iterdir()] == ["b"]


def test_only_one_builds_a_node_and_the_other_says_that_it_waits(tmp_path: Path) -> None:
    notes: list[str] = []
    cache = Cache(tmp_path, note=notes.append)
    order: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with cache.building(HASH, "zlib"):
            inside.set()
            leave.wait(10)
            order.append("first")

    def second() -> None:
        with cache.building(HASH, "zlib"):
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    inside.wait(10)
    threads[1].start()
    while not notes:
        time.sleep(0.01)
    with cache.trying(HASH) as mine:
        assert not mine
    leave.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second"]
    assert notes == ["another process builds zlib: waiting for it"]
    with cache.trying(HASH) as mine:
        assert mine


def test_who_waits_for_another_build_can_be_stopped(tmp_path: Path) -> None:
    cache, cancel = Cache(tmp_path), threading.Event()
    with cache.building(HASH, "zlib"):
        threading.Timer(0.2, cancel.set).start()
        with pytest.raises(Cancelled), cache.building(HASH, "zlib", cancel):
            raise AssertionError("two hold the right")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EROFS, "the cache {} cannot be written to: Read-only file system\n"
                      "  hint: set LODE_CACHE to a folder of your own"),
        (errno.ENOSPC, "the disk of the cache {} is full\n"
                       "  hint: free space, or set LODE_CACHE to a larger disk"),
    ],
)  # fmt: skip
def test_a_cache_that_cannot_be_written_to_is_said_clearly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    given = artifact(ZLIB, tmp_path)
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(HostError) as caught:
        Cache(tmp_path / "cache").put(given)
    assert str(caught.value) == message.format(tmp_path / "cache")
