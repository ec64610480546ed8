"""Tests of nodes that only builds need: a real tool, built and tested in a prefix of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.building import TARGET, WAVE, WAVE_C, Collection, collection

from lode import config
from lode.definitions.catalogue import Catalogue
from lode.errors import BuildError
from lode.progress import Silent
from lode.testing.results import Outcome, TestResult
from lode.workflow.lock import locked
from lode.workflow.tools import examine_tools

__all__ = ["collection"]

pytestmark = pytest.mark.integration

TOOL = 'mkdir -p "$PREFIX/bin"\nprintf "#!/bin/sh\\necho made\\n" >"$PREFIX/bin/maker"\nchmod +x "$PREFIX/bin/maker"'
TESTS = 'tests:\n  - {{name: makes, run: "test $(maker) = {word}"}}\n'


def built(collection: Collection, word: str) -> None:
    """Build a library with a tool that its build needs; the tool's test passes when the word is `made`."""
    collection.recipe("maker", TOOL)
    recipe = collection.root / "recipes" / "maker" / "recipe.yaml"
    recipe.write_text(recipe.read_text() + TESTS.format(word=word))
    collection.recipe("wave", f"maker\n{WAVE}", build="c, maker", files={"wave.c": WAVE_C})
    collection.lock("wave")
    collection.build()


def examined(collection: Collection, started: str, *, again: bool = False) -> tuple[TestResult, ...]:
    catalogue = Catalogue.open([collection.root], here=None)
    return examine_tools(
        locked(catalogue, "tiny"),
        catalogue,
        TARGET,
        places=config.places({"LODE_HOME": str(collection.home)}),
        jobs=1,
        started=started,
        progress=Silent(),
        again=again,
    )


def test_test_of_a_build_tool_runs_once_and_is_told_as_such(collection: Collection) -> None:
    built(collection, "made")
    first = examined(collection, "first")
    assert [(one.package, one.name, one.outcome, one.where) for one in first] == [
        ("maker", "makes", Outcome.PASSED, "build tools")
    ]
    (noted,) = (collection.home / "cache" / "tested").glob("*/*.json")
    before = noted.read_bytes()
    examined(collection, "second")
    assert noted.read_bytes() == before
    examined(collection, "third", again=True)
    assert noted.read_bytes() != before
    assert list((collection.home / "cache" / "prefixes").glob("tools-*/")) == []


def test_failure_of_a_build_tool_is_not_noted_and_another_test_runs_anew(collection: Collection) -> None:
    built(collection, "broken")
    (result,) = examined(collection, "first")
    assert (result.outcome, result.message) == (Outcome.FAILED, "ended with status 1")
    assert not (collection.home / "cache" / "tested").exists()
    built(collection, "made")
    (result,) = examined(collection, "second")
    assert result.outcome is Outcome.PASSED


def test_missing_package_of_a_build_tool_says_how_to_build_it(collection: Collection) -> None:
    collection.recipe("maker", TOOL)
    recipe = collection.root / "recipes" / "maker" / "recipe.yaml"
    recipe.write_text(recipe.read_text() + TESTS.format(word="made"))
    collection.recipe("wave", WAVE, build="c, maker", files={"wave.c": WAVE_C})
    collection.lock("wave")
    with pytest.raises(BuildError) as caught:
        examined(collection, "first")
    assert str(caught.value) == (f"maker 1.0 is not built for {TARGET}\n  hint: lode build tiny@1 --target {TARGET}")


def test_command_adds_the_tests_of_build_tools(collection: Collection, tmp_path: Path) -> None:
    built(collection, "made")
    released = collection.lode("release", "tiny", "-q")
    assert released.returncode == 0, released.stderr
    done = collection.lode("test", "tiny", "--tools", "-q")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("✓ maker: makes ")
