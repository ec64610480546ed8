"""Documents cover every field of a definition, or say why not."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from tests.definitions import test_read_recipe, test_read_stack, test_read_target

from lode import digest
from lode.definitions import canonical, language
from lode.definitions.recipe import (
    Argument,
    Build,
    Conflict,
    Dependency,
    Environment,
    Kind,
    Option,
    Origin,
    Patch,
    Recipe,
    RecipeVersion,
    Source,
    System,
    Test,
    Upstream,
)
from lode.definitions.requirement import Condition
from lode.definitions.stack import Group, Pins, Publish, StackDefinition
from lode.definitions.target import Base, Compiler, External, Target
from lode.definitions.version import Version
from lode.digest import Digest

RECIPE = test_read_recipe.read(*test_read_recipe.FULL)
STACK = test_read_stack.read(*test_read_stack.FULL)
TARGET = test_read_target.read(*test_read_target.FULL)

LEFT_OUT = {
    "place": "where it was written",
    "folder": "where it was read",
    "Target.name": "a label",
    "Target.runtime_packages": "installed after the build",
    "Target.end_of_life": "a date for people",
    "Base.mirror": "a place",
}
VALUES = {
    bool: lambda old: not old,
    str: lambda old: f"{old}x",
    int: lambda old: old + 1,
    Version: lambda old: Version(f"{old}.9"),
    Digest: lambda old: Digest("0" * 64),
    Condition: lambda old: language.condition("os=mars"),
    System: lambda old: System.MAKE,
    type(None): lambda old: "set",
}


def changed(value: Any) -> list[tuple[str, Any]]:
    """Return copies of `value`, each with one field in it changed, and the name of that field."""
    copies: list[tuple[str, Any]] = []
    for field in fields(value):
        name = f"{type(value).__name__}.{field.name}"
        old = getattr(value, field.name)
        if field.name in LEFT_OUT or name in LEFT_OUT:
            continue
        copies += [(inner, replace(value, **{field.name: new})) for inner, new in _variants(name, old)]
    return copies


def _variants(name: str, old: Any) -> list[tuple[str, Any]]:
    if isinstance(old, Condition):  # str is tested with the language
        return [(name, language.condition("os=mars"))]
    if type(old) in VALUES:
        return [(name, VALUES[type(old)](old))]
    if isinstance(old, tuple):
        parts = [
            (inner, (*old[:index], new, *old[index + 1 :]))
            for index, part in enumerate(old)
            for inner, new in (_variants(name, part) if not isinstance(part, Kind) else [])
        ]
        return [(name, old[:-1]), *parts] if old else []
    if hasattr(old, "package") and hasattr(old, "constraint"):
        return [(name, language.requirement("other"))]
    return changed(old)


def recipe_hash(recipe: Recipe) -> str:
    return digest.of_document("recipe", 1, canonical.recipe_document(recipe))


def test_every_field_of_a_recipe_moves_its_digest() -> None:
    before = recipe_hash(RECIPE)
    copies = changed(RECIPE)
    assert [name for name, copy in copies if recipe_hash(copy) == before] == []
    seen = {name for name, _ in copies}
    for kind in (
        Recipe, RecipeVersion, Source, Origin, Patch, Option, Dependency, Conflict, Build, Argument, Environment, Test,
        Upstream,
    ):  # fmt: skip
        expected = {f"{kind.__name__}.{field.name}" for field in fields(kind) if field.name not in LEFT_OUT}
        reached = {name for name in seen if name.startswith(f"{kind.__name__}.")}
        nested = {
            "Recipe.build", "Recipe.environment", "Recipe.upstream",
        }  # fmt: skip
        assert expected - reached - nested == set()


def test_every_field_of_a_target_moves_its_digest_or_is_left_out() -> None:
    before = canonical.target_document(TARGET)
    copies = changed(TARGET)
    assert [name for name, copy in copies if canonical.target_document(copy) == before] == []
    seen = {name for name, _ in copies}
    for kind in (Target, Base, Compiler, External):
        expected = {f"{kind.__name__}.{field.name}" for field in fields(kind)}
        assert {name for name in expected - seen if name.partition(".")[2] not in LEFT_OUT} <= {
            "Target.name", "Target.runtime_packages", "Target.end_of_life", "Target.base", "Target.compiler",
            "Base.mirror",
        }  # fmt: skip


def test_every_field_of_a_stack_is_in_its_document() -> None:
    before = canonical.stack_document(STACK)
    copies = changed(STACK)
    assert [name for name, copy in copies if canonical.stack_document(copy) == before] == []
    seen = {name for name, _ in copies}
    for kind in (StackDefinition, Pins, Publish, Group):
        expected = {f"{kind.__name__}.{field.name}" for field in fields(kind) if field.name not in LEFT_OUT}
        assert expected - seen <= {"StackDefinition.pins", "StackDefinition.publish"}


@pytest.mark.parametrize("left_out", ["name", "runtime_packages", "end_of_life", "place"])
def test_what_a_target_leaves_out_does_not_move_its_document(left_out: str) -> None:
    other = replace(TARGET, **{left_out: ("x",) if left_out == "runtime_packages" else None})
    assert canonical.target_document(other) == canonical.target_document(TARGET)


def test_digest_of_a_known_recipe_is_what_it_was() -> None:
    assert recipe_hash(RECIPE) == "f0419171fb34c7f216f4dc29fe9a6895dce8f56076c5cfc6eb54c86e54def2d6"
