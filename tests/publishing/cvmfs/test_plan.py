"""Plans: what a publication would do, counted without writing, and shown as a page."""

from __future__ import annotations

import json
from pathlib import Path

from tests.golden.check import same_as_golden
from tests.publishing.cvmfs.ground import MOUNT, Failing, Ground, plant, source

from lode.publishing.cvmfs import plan
from lode.publishing.cvmfs.cache import Cache
from lode.publishing.cvmfs.plan import Counted, Plan, TreePlan
from lode.publishing.cvmfs.publish import Source

OTHER = MOUNT.replace("2026.11", "2026.12")
SHOWN = Plan(
    name="test.example.org",
    revision=7,
    trees=(
        TreePlan(mount="/mini/2026.10/el9-x86_64", present=True, unchanged=True),
        TreePlan(
            mount=MOUNT,
            present=True,
            unchanged=False,
            added=Counted(entries=1200, size=3_400_000),
            changed=Counted(entries=2, size=5),
            new=Counted(entries=1001, size=3_400_005),
            known=Counted(entries=3, size=70),
            catalogs=((MOUNT, 250_000), (f"{MOUNT}/lib<b>", 50_000)),
            paths=("added    lib<b>/x", "changed  a\\nb (mode, content)"),
            warnings=(
                f"the catalog of {MOUNT} has 250000 entries, more than 200000: one folder alone holds that many",
            ),
        ),
        TreePlan(
            mount=OTHER,
            present=False,
            unchanged=False,
            added=Counted(entries=4, size=9),
            new=Counted(entries=1, size=9),
            catalogs=tuple((f"{OTHER}/{number}", number) for number in range(60)),
        ),
    ),
    removed=("/mini/2025.1/el9-x86_64",),
    seconds=3,
    catalog_maximum=200_000,
)


def planned(ground: Ground, *sources: Source, **more: object) -> Plan:
    cache = Cache(ground.cache_file)
    try:
        return plan.plan(ground.stratum(), sources, cache=cache, jobs=2, **more)  # type: ignore[arg-type]
    finally:
        cache.close()


def test_page_shows_every_kind_of_tree_and_escapes_names() -> None:
    same_as_golden("publishing/cvmfs/plan.html", plan.html(SHOWN, version="1.2.3"))


def test_page_needs_nothing_from_elsewhere() -> None:
    text = plan.html(SHOWN, version="1.2.3").decode()
    assert not any(word in text for word in ("http:", "https:", "<script", "@import", "url(", "src="))
    assert 'name="viewport"' in text


def test_page_of_nothing_to_do_says_so(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b"1"})
    ground.publish(source(root))
    made = planned(ground, source(root))
    assert made.quiet
    text = plan.html(made, version="1").decode()
    assert "revision 2 stays" in text
    assert "is published as it is" in text


def test_plan_counts_what_differs_and_names_it(ground: Ground, tmp_path: Path) -> None:
    ground.publish(source(plant(tmp_path / "old", {"a": b"1", "b": b"22", "c": b"333", "same": b"x"})))
    root = plant(tmp_path / "new", {"a": b"10", "c": "b", "d": b"4444", "same": b"x"})
    made = planned(ground, source(root), remove=[OTHER])
    tree = made.trees[0]
    assert (made.revision, made.quiet, made.removed) == (2, False, ())  # nothing lies at OTHER
    assert (tree.present, tree.unchanged) == (True, False)
    assert (tree.added, tree.removed) == (Counted(entries=1, size=4), Counted(entries=1, size=2))
    assert tree.changed.entries == 3  # a, c and the inventory itself
    assert [line for line in tree.paths if ".lode" not in line] == [
        "changed  a (content)",
        "removed  b",
        "changed  c (type)",
        "added    d",
    ]
    assert (tree.new.entries, tree.known.entries) == (3, 1)
    assert tree.catalogs == ((MOUNT, 8),)
    assert json.loads(json.dumps(made.document()))["catalog_maximum"] == 1000


def test_plan_writes_nothing(ground: Ground, tmp_path: Path) -> None:
    before = sorted(ground.folder.rglob("*"))
    root = plant(tmp_path / "tree", {"a": b"1"})
    storage = Failing(ground.stratum().storage, 0, OSError())
    cache = Cache(ground.cache_file)
    made = plan.plan(ground.stratum(storage), [source(root)], cache=cache, jobs=1)
    cache.close()
    assert made.trees[0].new.entries == 2
    assert sorted(ground.folder.rglob("*")) == before


def test_only_the_first_differences_are_named(ground: Ground, tmp_path: Path) -> None:
    ground.publish(source(plant(tmp_path / "old", {"a": b"1"})))
    made = planned(ground, source(plant(tmp_path / "new", {"a": b"1"}, extra=600)))
    assert made.trees[0].added.entries == 608
    assert len(made.trees[0].paths) == 500
    assert "the first 500 of 609 differences" in plan.html(made, version="1").decode()
