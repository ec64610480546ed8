from __future__ import annotations

from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from tests.locking.world import World

from lode.definitions.recipe import Origin, Source
from lode.digest import Digest
from lode.errors import Place, SourceError
from lode.workflow.lock import asked_of_git, remembered, tools


def test_versions_of_tools_are_those_that_are_installed() -> None:
    assert tools() == {
        "lode-format": "1",
        "rattler": metadata.version("py-rattler"),
        "rattler-build": metadata.version("py-rattler-build"),
    }


def test_first_folder_of_the_path_with_a_distribution_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "py_rattler-9.8.7.dist-info").mkdir()
    (tmp_path / "py_rattler_build-1.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert tools() == {"lode-format": "1", "rattler": "9.8.7", "rattler-build": "1"}


def test_two_versions_in_one_folder_are_left_to_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0", "2.0"):
        folder = tmp_path / f"py_rattler-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: py-rattler\nVersion: {version}\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert tools()["rattler"] == metadata.version("py-rattler")


def pinned_by_commit() -> tuple[World, str]:
    """Return a world with the recipe midas, whose source is a commit without a sha256, and the place of that."""
    world, place = World(), f"https://example.org/midas.git@{'1' * 40}"
    world.add("midas")
    recipe = world.recipes["midas"]
    source = Source(
        origins=(Origin(scheme="git", location=place),),
        sha256=None,
        place=Place(file="recipes/midas/recipe.yaml", line=7, column=7),
    )
    (version,) = recipe.versions
    world.recipes["midas"] = replace(recipe, versions=(replace(version, sources=(source,)),))
    return world, place


def test_commit_that_the_lock_before_knows_is_not_asked_for_again() -> None:
    world, place = pinned_by_commit()
    asked: list[str] = []

    def ask(location: str) -> Digest:
        asked.append(location)
        return Digest("a" * 64)

    lock = world.lock("midas", commits=ask)
    assert lock.nodes[0].sources[0].sha256 == "a" * 64
    assert asked == [place]
    tell = remembered(lock, ask)
    assert tell(place) == "a" * 64
    assert asked == [place]
    assert tell(f"{place}+submodules") == "a" * 64
    assert asked == [place, f"{place}+submodules"]


def test_commit_without_a_hash_that_cannot_be_fetched_says_what_to_do() -> None:
    world, place = pinned_by_commit()
    with pytest.raises(SourceError) as caught:
        world.lock("midas")
    assert str(caught.value) == (
        f"recipes/midas/recipe.yaml:7:7: midas 1.0: no sha256 is known of {place}\n  hint: add `sha256:` to the source"
    )


@pytest.mark.integration
def test_commit_is_hashed_when_it_is_locked(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        asked_of_git(f"file://{tmp_path}/nowhere.git@{'1' * 40}")
    assert str(caught.value).startswith(
        f"the commit file://{tmp_path}/nowhere.git@{'1' * 40} has no sha256 yet, and cannot be fetched to take it: "
    )
    assert "lock once where its place can be reached" in str(caught.value)
