"""What upstream names as dependencies is compared with what a Python recipe asks for at run time."""

from __future__ import annotations

import json

import pytest
from tests.definitions.writing import SHA256
from tests.definitions.writing import named as recipe

from lode.definitions import named, read_recipe
from lode.errors import DefinitionError


def found(run: list[str], system: str = "python", **changes: dict[str, str]) -> list[str]:
    """Return how a recipe with numpy and attrs at run time differs from what upstream names."""
    text = recipe(
        "nest", "dependencies: {link: [hdf5], run: [numpy, attrs, python >=3.10]}", f"build: {{system: {system}}}"
    )
    content = json.dumps({"versions": {"2.4.0": {"build": [], "run": run}, "1.0": {"run": []}}, **changes}).encode()
    return [str(one) for one in named.faults(read_recipe.read(text, file="r"), named.read(content, file="u"))]


def test_recipe_that_agrees_has_no_faults() -> None:
    assert found(["numpy", "attrs"]) == []


def test_dependency_that_upstream_never_names_is_told() -> None:
    assert found(["numpy"]) == [
        "r:11:43: warning: nest needs attrs at run time, which nest 2.4.0 never names upstream\n"
        "  hint: remove it, or say why in upstream.json: added"
    ]


def test_dependency_that_the_recipe_forgot_is_told() -> None:
    assert found(["numpy", "attrs", "pandas"]) == [
        "r:1:1: warning: nest 2.4.0 needs pandas, says upstream, and the recipe does not ask for it\n"
        "  hint: add it to `dependencies: run`, or say why not in upstream.json: left_out"
    ]


def test_reasons_settle_both() -> None:
    assert found(["numpy", "pandas"], left_out={"pandas": "imported where used"}, added={"attrs": "in a plugin"}) == []


def test_dependency_of_an_older_version_is_left_alone() -> None:
    text = recipe("nest", "dependencies: {run: [{package: six, when: <2}]}", "build: {system: python}")
    content = b'{"versions": {"2.4.0": {"run": []}}}'
    assert list(named.faults(read_recipe.read(text, file="r"), named.read(content, file="u"))) == []


def test_each_version_is_compared_with_what_the_recipe_asks_for_then() -> None:
    versions = "versions:"
    for number in ("2.4.0", "1.0"):
        versions += (
            f'\n  - version: "{number}"\n    source: [{{url: "https://example.org/a.tar.gz", sha256: {SHA256}}}]'
        )
    text = recipe("nest", versions, "dependencies: {run: [{package: six, when: <2}, attrs]}", "build: {system: python}")
    content = b'{"versions": {"2.4.0": {"run": ["attrs"]}, "1.0": {"run": ["numpy", "attrs"]}}}'
    told = named.faults(read_recipe.read(text, file="r"), named.read(content, file="u"))
    assert [one.message for one in told] == [
        "nest needs six at run time, which nest 1.0 never names upstream",
        "nest 1.0 needs numpy, says upstream, and the recipe does not ask for it",
    ]


def test_other_build_systems_are_left_alone() -> None:
    assert found(["pandas"], system="cmake") == []


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"versions": 1}', '{"versions": {"1": {}}}', '{"versions": {}, "added": 1}']
)
def test_file_of_another_form_is_refused(content: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        named.read(content.encode(), file="recipes/a/upstream.json")
    assert str(refused.value) == (
        "recipes/a/upstream.json: it is not in the form of upstream.json\n  hint: tools/bump_recipe.py writes it anew"
    )
