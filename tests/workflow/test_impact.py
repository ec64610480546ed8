from __future__ import annotations

from pathlib import Path

import pytest

from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.workflow.impact import Impact, impact
from lode.workflow.lock import relock, write

RECIPE = """\
name: {name}
summary: A library
homepage: https://example.org
license: MIT
versions:
{versions}
dependencies: {{link: [{link}]}}
build: {{system: script, script: 'true'}}
"""
T = "debian12-x86_64"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "collection.yaml").write_text('name: mine\nversion: "1"\nsummary: Mine\n')
    recipe(tmp_path, "low", ["1.2", "1.3", "2.0"])
    recipe(tmp_path, "middle", ["1.0"], "low <2")
    recipe(tmp_path, "top", ["1.0"], "middle")
    recipe(tmp_path, "aside", ["1.0"])
    stack(tmp_path, "daq", "low ==1.2, top, aside")
    stack(tmp_path, "other", "aside")
    return tmp_path


def recipe(root: Path, name: str, versions: list[str], link: str = "") -> None:
    folder = root / "recipes" / name
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "x").write_text(name)
    rows = "\n".join(f'  - {{version: "{version}", source: [{{path: src}}]}}' for version in versions)
    (folder / "recipe.yaml").write_text(RECIPE.format(name=name, versions=rows, link=f'"{link}"' if link else ""))


def stack(root: Path, name: str, requirements: str, more: str = "") -> None:
    folder = root / "stacks" / name / "1"
    folder.mkdir(parents=True)
    words = ", ".join(f'"{word.strip()}"' for word in requirements.split(","))
    (folder / "stack.yaml").write_text(
        f'name: {name}\nrelease: "1"\ndate: 2026-11-01\nsummary: S\ntargets: [{T}]\nrequirements: [{words}]\n'
        f"publish: {{cvmfs: x.example.org}}\n{more}"
    )
    made = relock(Catalogue.open([root], here=root), f"{name}@1")
    write(made.lock, made.path, shown="lode.lock")


def told(here: Path, package: str, version: str | None = None) -> Impact:
    times = {(T, "low"): 10.0, (T, "middle"): 20.0, (T, "top"): 30.0, (T, "aside"): 1.0}
    return impact(Catalogue.open([here], here=here), package, version, times=times)


def test_a_change_rebuilds_what_stands_on_the_package_in_each_stack_that_has_it(here: Path) -> None:
    (low,) = told(here, "low").stacks
    assert (low.stack, low.version, low.cpu_s, low.forbidden) == ("daq", "1.2", 60.0, ())
    assert low.rebuilt == (("low", T), ("middle", T), ("top", T))
    assert [one.stack for one in told(here, "aside").stacks] == ["daq", "other"]


def test_a_version_that_fits_is_locked_for_trial_and_the_stack_that_pins_it_is_named(here: Path) -> None:
    found = told(here, "low", "1.3")
    (low,) = found.stacks
    assert found.known
    assert low.forbidden == ("the stack asks low ==1.2",)
    assert low.problem is None
    assert low.comparison is not None
    assert [change.package for change in low.comparison.changes] == ["low", "middle", "top"]
    assert low.rebuilt == (("low", T), ("middle", T), ("top", T))


def test_a_version_that_cannot_be_names_all_who_forbid_it(here: Path) -> None:
    (low,) = told(here, "low", "2.0").stacks
    assert low.forbidden == ("the stack asks low ==1.2", "middle 1.0 asks low <2")
    assert low.problem is not None


def test_a_version_that_the_recipe_lacks_is_held_against_the_constraints(here: Path) -> None:
    found = told(here, "low", "3.0")
    assert not found.known
    assert found.stacks[0].forbidden == ("the stack asks low ==1.2", "middle 1.0 asks low <2")
    assert found.stacks[0].comparison is None


def test_an_overlay_is_told_of_with_what_it_lies_on(here: Path) -> None:
    stack(here, "mine", "aside", "extends: daq@1\n")
    found = told(here, "low", "1.3").stacks
    assert [(one.stack, one.extends) for one in found] == [("daq", None), ("mine", "daq@1")]


def test_a_stack_without_a_sound_lock_is_named(here: Path) -> None:
    (here / "stacks" / "other" / "1" / "lode.lock").write_text("{}")
    found = told(here, "aside")
    assert [one for one in found.unread if one.startswith("other")] == ["other@1"]
    assert [one.stack for one in found.stacks] == ["daq"]


def test_an_unknown_package_is_refused_with_the_nearest(here: Path) -> None:
    with pytest.raises(UsageError) as refused:
        told(here, "midle")
    assert str(refused.value) == "there is no recipe called 'midle'\n  hint: did you mean 'middle'?"
