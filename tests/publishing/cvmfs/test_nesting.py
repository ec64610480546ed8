"""Where trees are cut: within the limits by construction, and the same for everyone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lode.definitions.repository import Nesting
from lode.publishing.cvmfs import nesting


def members(*paths: str) -> dict[str, int]:
    """Return how many entries lie in each folder above the files at `paths`, folders in bytes order."""
    files = set(paths)
    folders = {path[:at] for path in files for at, mark in enumerate(path) if mark == "/"}
    found = dict.fromkeys(["", *sorted(folders, key=lambda path: path.encode("utf-8", "surrogateescape"))], 0)
    for path in files | folders:
        found[path.rpartition("/")[0]] += 1
    return found


def test_folder_is_cut_off_once_it_holds_enough() -> None:
    rules = Nesting(split=6, maximum=100)
    assert nesting.cuts(members("a/1", "a/2", "a/3", "a/4"), rules) == frozenset()
    assert nesting.cuts(members("a/1", "a/2", "a/3", "a/4", "a/5"), rules) == {"a"}
    assert nesting.cuts(members(*(f"a/b/{n}" for n in range(5)), "a/c"), rules) == {"a/b"}


def test_pattern_cuts_and_does_not_cross_a_slash() -> None:
    rules = Nesting(cut=("lib/*/pkg", "[ab]?c"), split=1000, maximum=1000)
    found = nesting.cuts(members("lib/x/pkg/f", "lib/x/y/pkg/f", "a.c/f", "abbc/f", "lib/pkg/f"), rules)
    assert found == {"lib/x/pkg", "a.c"}


def test_many_small_folders_are_kept_below_the_maximum() -> None:
    tree = members(*(f"d{n}/{m}" for n in range(20) for m in range(8)))
    rules = Nesting(split=10, maximum=50)
    cut = nesting.cuts(tree, rules)
    assert max(nesting.sizes(tree, cut).values()) <= 50 + 1  # and the marker
    assert 0 < len(cut) < 20


def test_folder_whose_name_is_not_text_is_not_cut_off() -> None:
    tree = members(*(f"a\udcff/{n}" for n in range(50)), "a\udcff/x/y")
    assert nesting.cuts(tree, Nesting(split=10, maximum=1000)) == frozenset()


_TREES = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=0, max_size=4).map("/".join), min_size=1, max_size=120
).map(lambda folders: members(*(f"{folder}/f{n}".lstrip("/") for n, folder in enumerate(folders))))


@given(tree=_TREES, split=st.integers(3, 20), more=st.integers(0, 30))
def test_no_catalog_passes_the_maximum_unless_one_folder_does(tree: dict[str, int], split: int, more: int) -> None:
    rules = Nesting(split=split, maximum=split + more)
    cut = nesting.cuts(tree, rules)
    sizes = nesting.sizes(tree, cut)
    assert sum(sizes.values()) == sum(tree.values()) + 2 + 2 * len(cut)  # each root folder twice, each marker once
    assert max(sizes.values()) <= max(rules.maximum, max(tree.values()) + 1) + 1
    assert nesting.cuts(tree, rules) == cut
