"""The catalogue's page is current, has a row for every recipe, and claims no build that was not noted."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.testing.factory import TARGET, report, result
from tests.tools.scripts import script

from lode.definitions.catalogue import Catalogue
from lode.errors import LodeError
from lode.testing.results import Outcome
from lode.workflow.lock import locked

ROOT = script("catalogue").ROOT
CATALOGUE = Catalogue.open([ROOT], here=ROOT)
LOCK = locked(CATALOGUE, script("catalogue").CORE)
NOTES: dict[str, Any] = yaml.safe_load(script("catalogue").NOTES.read_text(encoding="utf-8"))


def rows(built: dict[str, Any], notes: dict[str, Any]) -> dict[str, list[str]]:
    """Return the cells of each row of the page by package."""
    found = {}
    for line in script("catalogue").page(CATALOGUE, built, notes).splitlines():
        if line.startswith("| ["):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            found[cells[0][1:].partition("]")[0]] = cells
    return found


def test_page_is_what_the_script_writes() -> None:
    catalogue = script("catalogue")
    built = json.loads(catalogue.BUILT.read_text(encoding="utf-8"))
    assert catalogue.PAGE.read_text(encoding="utf-8") == catalogue.page(CATALOGUE, built, NOTES), (
        "docs/reference/catalogue.md is out of date: run tools/catalogue.py"
    )


def test_page_of_times_is_what_the_script_writes() -> None:
    catalogue = script("catalogue")
    built = json.loads(catalogue.BUILT.read_text(encoding="utf-8"))
    assert catalogue.CORE_PAGE.read_text(encoding="utf-8") == catalogue.times_page(LOCK, built), (
        "docs/reference/dance-core.md is out of date: run tools/catalogue.py"
    )


def of_node(package: str) -> dict[str, Any]:
    """Return what is noted of this node of dance-core, built in a hundred seconds."""
    node = LOCK.node(package)
    return {package: {TARGET: {"version": node.version, "cpu_s": 100.0, "node": node.hashes[TARGET]}}}


def times_row(built: dict[str, Any], package: str) -> str:
    lines = script("catalogue").times_page(LOCK, built).splitlines()
    return next(line for line in lines if line.startswith(f"| {package} |"))


def test_time_is_told_of_the_node_of_the_lock_alone() -> None:
    assert times_row(of_node("zlib"), "zlib") == "| zlib | 1.3.1 | source, C | 100 s | — |"
    built = of_node("zlib")
    built["zlib"][TARGET]["node"] = "0" * 64
    assert times_row(built, "zlib") == "| zlib | 1.3.1 | source, C | — | — |"
    assert times_row({}, "scipy").split(" | ")[2] == "wheel"
    assert "**Built here: 1 of " in script("catalogue").times_page(LOCK, of_node("zlib"))


def test_what_tests_gave_is_noted_with_their_node() -> None:
    results = [
        result("zlib", "one"), result("zlib", "two", outcome=Outcome.FAILED), result("xz", "one"), result("", "chain"),
    ]  # fmt: skip
    given = report(*results, target=TARGET, lock_digest=LOCK.digest)
    built = script("catalogue").tested(CATALOGUE, of_node("zlib"), given)
    assert built["zlib"][TARGET]["tests"] == {"failed": 1, "passed": 1}
    assert set(built) == {"zlib"}  # xz was not noted as built
    assert times_row(built, "zlib") == "| zlib | 1.3.1 | source, C | 100 s | 1 of 2 |"
    with pytest.raises(LodeError, match="which no stack has"):
        script("catalogue").tested(CATALOGUE, {}, report(*results, target=TARGET))


def test_every_recipe_has_a_row() -> None:
    assert sorted(rows({}, {})) == sorted(CATALOGUE.recipe_names())


@pytest.mark.parametrize(
    ("built", "reasons", "says"),
    [
        ({"zlib": {"debian12-x86_64": {"version": "1.3.1", "cpu_s": 4.4}}}, {}, "1.3.1 on debian12-x86_64, 4 s"),
        ({"zlib": {"debian12-x86_64": {"version": "0.9", "cpu_s": 4.4}}}, {}, "not yet"),
        ({}, {"zlib": "it hangs"}, "no: it hangs"),
        ({}, {}, "not yet"),
    ],
)
def test_only_a_version_that_was_noted_counts_as_built(
    built: dict[str, Any], reasons: dict[str, str], says: str
) -> None:
    assert rows(built, {"reasons": reasons})["zlib"][5] == says


def test_source_that_no_registry_has_is_said_to_be_the_reason() -> None:
    assert rows({}, {})["geant4"][4:6] == [
        "gitlab.cern.ch",
        "no: its source is on none of the registries that the project's machines reach",
    ]


def test_wheels_are_marked() -> None:
    assert rows({}, {})["scipy"][0].endswith(" (wheel)")
    assert not rows({}, {})["numpy"][0].endswith(" (wheel)")


def test_recipe_with_one_version_is_listed_with_the_reason() -> None:
    page = script("catalogue").page(CATALOGUE, {}, {"single": {"cry": "the last release"}})
    assert "| cry | the last release |\n" in page
    assert "| zlib |" not in page


def test_only_recipes_with_one_version_say_why() -> None:
    ones = {name for name in CATALOGUE.recipe_names() if len(CATALOGUE.recipe(name).versions) == 1}
    assert set(NOTES["single"]) - ones == set()


def test_no_system_is_both_with_and_without_a_recipe() -> None:
    assert {one["name"] for one in NOTES["missing"]} & set(CATALOGUE.recipe_names()) == set()
    assert set(NOTES["reasons"] or ()) <= set(CATALOGUE.recipe_names())


def test_noted_builds_are_of_recipes_that_there_are() -> None:
    built = json.loads(script("catalogue").BUILT.read_text(encoding="utf-8"))
    assert set(built) <= set(CATALOGUE.recipe_names())
