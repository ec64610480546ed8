from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.building.factory import artifact
from tests.signing.factory import TODAY, policy, signer
from tests.testing.factory import TARGET, lock, node

from lode import digest
from lode.building.cache import Cache, FolderStore, Store, Unreachable, entry_key
from lode.definitions.trust import Minimum, TrustPolicy
from lode.digest import Digest
from lode.errors import TrustError, UsageError, VerificationError
from lode.locking.graph import Lock
from lode.progress import Silent
from lode.publishing.oci.artifacts import ArtifactStore
from lode.publishing.oci.layout import Layout
from lode.workflow import store_index

NOW = datetime.datetime(2026, 11, 25, 10, tzinfo=datetime.UTC)
STACK = lock(node("zlib"), node("nest"))
HASHES = {one.package: one.hashes[TARGET] for one in STACK.nodes}
STORES: dict[str, Callable[[Path], Store]] = {
    "folder": FolderStore,
    "registry": lambda place: ArtifactStore(Layout(place), "registry.example.org/cache"),
}


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path / "store")


def built(store: Store, place: Path, *packages: str, content: bytes | None = None) -> Cache:
    """Return a cache that has built the packages, and given them to the store."""
    cache = Cache(place, behind=store)
    for one in STACK.nodes:
        if one.package in packages:
            cache.put(artifact(one, place / "work", content=content))
    return Cache(place)  # with nothing behind: only what this machine has built


def signed(store: Store, cache: Cache, by: str = "one") -> store_index.SignedIndex:
    return store_index.sign(STACK, cache, store, signer(by), now=NOW)


def taken(store: Store, place: Path, by: TrustPolicy, told: list[str] | None = None) -> set[str]:
    """Return what a machine of its own takes from the store when it believes `by`."""
    said = told if told is not None else []
    behind = store_index.vouched(store, STACK, by, seen=place / store_index.SEEN, today=TODAY, note=said.append)
    cache = Cache(place, behind=behind, note=said.append)
    return {package for package, node_hash in HASHES.items() if cache.get(node_hash) is not None}


def accepted(store: Store, place: Path, by: TrustPolicy, stack: Lock = STACK) -> int:
    found, _ = store_index.newest(store, stack, by, seen=place / "seen.json", today=TODAY)
    return found.claim.sequence


def test_what_was_signed_is_taken_and_the_rest_is_not(store: Store, tmp_path: Path) -> None:
    cache = built(store, tmp_path / "one", "zlib")
    made = signed(store, cache)
    assert (made.nodes, made.fresh, made.written, made.claim.sequence) == (1, 1, True, 1)
    built(store, tmp_path / "stranger", "nest")
    assert taken(store, tmp_path / "reader", policy("one")) == {"zlib"}


def test_a_further_machine_adds_to_the_index_and_nothing_new_writes_none(store: Store, tmp_path: Path) -> None:
    signed(store, built(store, tmp_path / "one", "zlib"))
    other = built(store, tmp_path / "two", "nest")
    made = signed(store, other)
    assert (made.nodes, made.fresh, made.claim.sequence) == (2, 1, 2)
    again = signed(store, other)
    assert (again.written, again.claim.sequence, again.key) == (False, 2, made.key)
    assert taken(store, tmp_path / "reader", policy("one")) == {"nest", "zlib"}


def test_nothing_is_taken_over_from_an_index_by_another_key(store: Store, tmp_path: Path) -> None:
    signed(store, built(store, tmp_path / "thief", "zlib", content=b"bad"), by="thief")
    made = signed(store, built(store, tmp_path / "one", "nest"))
    assert (made.nodes, made.claim.sequence) == (1, 2)
    assert taken(store, tmp_path / "reader", policy("one")) == {"nest"}


def test_store_and_cache_that_differ_are_not_signed(store: Store, tmp_path: Path) -> None:
    built(store, tmp_path / "stranger", "zlib", content=b"other bytes")
    with pytest.raises(VerificationError, match=r"the store has another zlib 1.0 for debian12-x86_64 than this cache"):
        signed(store, built(store, tmp_path / "one", "zlib"))


def test_a_store_that_has_nothing_of_the_stack_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the store has nothing of"):
        signed(store, Cache(tmp_path / "one"))


def test_an_unknown_signer_a_missing_index_and_an_unsigned_one_leave_the_store_out(
    store: Store, tmp_path: Path
) -> None:
    told: list[str] = []
    built(store, tmp_path / "one", "zlib")
    assert taken(store, tmp_path / "reader", policy("one"), told) == set()
    assert told == [f"warning: the store has no signed index of {name()}: going on without the store"]
    signed(store, Cache(tmp_path / "one"), by="thief")
    told.clear()
    assert taken(store, tmp_path / "reader", policy("one"), told) == set()
    assert told[0].startswith("warning: a signature does not count: the trust policy does not know the key ")


def test_a_store_that_does_not_answer_is_left_out_and_said(tmp_path: Path) -> None:
    class Down:
        def has(self, key: str) -> bool:
            raise Unreachable("the store https://cache.example.org does not answer")

        def get(self, key: str, destination: Path) -> bool:
            return self.has(key)

        def put(self, key: str, source: Path) -> None:
            self.has(key)

    told: list[str] = []
    assert taken(Down(), tmp_path / "reader", policy("one"), told) == set()
    assert told == ["warning: the store https://cache.example.org does not answer: going on without the store"]


def name() -> str:
    return f"{STACK.stack}@{STACK.release}"


def test_an_older_index_is_refused_once_a_newer_one_was_seen(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    signed(store, built(store, tmp_path / "one", "zlib"))
    signed(store, built(store, tmp_path / "two", "nest"))
    assert accepted(store, tmp_path, policy("one")) == 2
    (tmp_path / "store" / store_index.index_key(STACK.stack, STACK.release, 2)).unlink()
    with pytest.raises(TrustError, match=f"the store has no index 2 of {name()}, which was there before"):
        accepted(store, tmp_path, policy("one"))
    assert taken(store, tmp_path / "new", policy("one")) == {"zlib"}  # who has never seen the second cannot know


def test_an_old_index_under_a_new_name_is_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    signed(store, built(store, tmp_path / "one", "zlib"))
    first = tmp_path / "store" / store_index.index_key(STACK.stack, STACK.release, 1)
    first.with_name("2.dsse").write_bytes(first.read_bytes())
    with pytest.raises(TrustError, match=rf"index 2 of {name()} was signed as {name()} \(1\)"):
        accepted(store, tmp_path, policy("one"))


def test_an_index_below_the_policys_minimum_is_refused(store: Store, tmp_path: Path) -> None:
    signed(store, built(store, tmp_path / "one", "zlib"))
    minimum = {STACK.stack: Minimum(release=STACK.release, sequence=2)}
    with pytest.raises(TrustError, match="is older than"):
        accepted(store, tmp_path, policy("one", minimum=minimum))


def test_an_entry_that_was_replaced_is_not_taken(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    signed(store, built(store, tmp_path / "one", "zlib"))
    evil = FolderStore(tmp_path / "evil")
    built(evil, tmp_path / "thief", "zlib", content=b"bad")
    key = entry_key(HASHES["zlib"])
    said = json.loads((tmp_path / "evil" / key).read_bytes())
    store.put(said["file"], tmp_path / "evil" / said["file"])
    store.put(key, tmp_path / "evil" / key)
    told: list[str] = []
    assert taken(store, tmp_path / "reader", policy("one"), told) == set()
    assert told == [
        f"warning: the shared cache's entry for node {HASHES['zlib'][:16]} is not the one that was listed: "
        "going on without it"
    ]
    with pytest.raises(VerificationError, match="zlib: the shared cache's entry for node"):
        checked(store, tmp_path)


def checked(store: Store, place: Path) -> store_index.VerifiedIndex:
    return store_index.check(store, STACK, policy("one"), seen=place / "seen.json", today=TODAY, progress=Silent())


def test_every_package_is_read_by_a_check(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    signed(store, built(store, tmp_path / "one", "zlib", "nest"))
    found = checked(store, tmp_path)
    assert (found.nodes, found.accepted.signers) == (2, ("one",))
    package = next((tmp_path / "store" / "packages").rglob("zlib-*.conda"))
    package.unlink()  # it may be a link to the file of the cache
    package.write_bytes(b"zlip")
    with pytest.raises(VerificationError, match="the shared cache has wrong bytes for zlib"):
        checked(store, tmp_path)


def test_a_memory_that_cannot_be_read_is_an_error(store: Store, tmp_path: Path) -> None:
    signed(store, built(store, tmp_path / "one", "zlib"))
    (tmp_path / "seen.json").write_text("[1]")
    with pytest.raises(VerificationError, match="which indexes were seen is not known"):
        accepted(store, tmp_path, policy("one"))


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0), flip=st.integers(1, 255))
def test_no_byte_of_an_index_can_be_changed_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    store = FolderStore(folder / "store")
    signed(store, built(store, folder / "one", "zlib"))
    file = folder / "store" / store_index.index_key(STACK.stack, STACK.release, 1)
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= flip
    file.write_bytes(content)
    with pytest.raises(VerificationError):
        accepted(store, folder, policy("one"))


def test_an_entry_of_a_listed_node_has_the_digest_that_is_listed(store: Store, tmp_path: Path) -> None:
    signed(store, built(store, tmp_path / "one", "zlib"))
    _, listed = store_index.newest(store, STACK, policy("one"), seen=tmp_path / "seen.json", today=TODAY)
    assert store.get(entry_key(HASHES["zlib"]), tmp_path / "entry")
    assert listed == {HASHES["zlib"]: Digest(digest.of_bytes((tmp_path / "entry").read_bytes()))}


def job(store: Store, place: Path, lists: Path, told: list[str] | None = None) -> Cache:
    """Return the cache of a job of a run that believes key `one`, and what the run's jobs have listed in `lists`."""
    said = told if told is not None else []
    behind = store_index.vouched(
        store, STACK, policy("one"), seen=place / store_index.SEEN, today=TODAY, note=said.append, built=lists
    )
    return Cache(place, behind=behind, note=said.append)


def has(cache: Cache) -> set[str]:
    return {package for package, node_hash in HASHES.items() if cache.get(node_hash) is not None}


def test_jobs_of_a_run_take_what_earlier_ones_listed_and_nobody_else_does(store: Store, tmp_path: Path) -> None:
    lists, told = tmp_path / "lists", list[str]()
    first = job(store, tmp_path / "first", lists, told)
    assert told == [
        f"warning: the store has no signed index of {name()}: only what this run has built is taken from the store"
    ]
    first.put(artifact(STACK.nodes[0], tmp_path / "work"))
    assert has(job(store, tmp_path / "second", lists)) == {STACK.nodes[0].package}
    assert has(job(store, tmp_path / "other", tmp_path / "lists of another run")) == set()


def test_an_index_and_the_lists_of_a_run_add_up(store: Store, tmp_path: Path) -> None:
    signed(store, built(store, tmp_path / "one", "zlib"))
    lists = tmp_path / "lists"
    (nest,) = (node for node in STACK.nodes if node.package == "nest")
    job(store, tmp_path / "first", lists).put(artifact(nest, tmp_path / "work"))
    assert [file.name for file in lists.iterdir()] == [HASHES["nest"]]
    assert has(job(store, tmp_path / "second", lists)) == {"nest", "zlib"}


def test_what_an_earlier_run_left_unsigned_is_listed_once_it_was_built_again_alike(
    store: Store, tmp_path: Path
) -> None:
    built(store, tmp_path / "earlier", "zlib")
    lists = tmp_path / "lists"
    first = job(store, tmp_path / "first", lists)
    assert has(first) == set()
    again = artifact(next(node for node in STACK.nodes if node.package == "zlib"), tmp_path / "work")
    first.put(replace(again, record=replace(again.record, wall_s=again.record.wall_s + 1)))
    assert has(job(store, tmp_path / "second", lists)) == {"zlib"}


def test_what_a_stranger_put_there_stays_unlisted_and_is_not_taken(store: Store, tmp_path: Path) -> None:
    built(store, tmp_path / "stranger", "zlib", content=b"other bytes")
    lists = tmp_path / "lists"
    first = job(store, tmp_path / "first", lists)
    first.put(artifact(next(node for node in STACK.nodes if node.package == "zlib"), tmp_path / "work"))
    assert has(first) == {"zlib"}
    assert not lists.exists()
    assert has(job(store, tmp_path / "second", lists)) == set()


def test_an_entry_that_was_changed_after_it_was_listed_is_not_taken(tmp_path: Path) -> None:
    place = tmp_path / "store"
    lists, told = tmp_path / "lists", list[str]()
    store = FolderStore(place)
    job(store, tmp_path / "first", lists).put(artifact(STACK.nodes[0], tmp_path / "work"))
    entry = place / entry_key(STACK.nodes[0].hashes[TARGET])
    changed = entry.read_bytes() + b" "
    entry.unlink()  # a link to the first job's own
    entry.write_bytes(changed)
    assert has(job(store, tmp_path / "second", lists, told)) == set()
    assert "is not the one that was listed" in told[-1]
