"""Recipes that no shipped stack has go through every renderer all the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from tests.rendering.shipped import catalogue, pretended, references, shipped

from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Recipe
from lode.definitions.target import Target
from lode.definitions.version import Version
from lode.locking.graph import Lock
from lode.rendering import RENDERERS, agreement, renderer
from lode.workflow import lock as locks
from lode.workflow.lock import files

STACK = "name: rest\nrelease: '1'\ndate: 2026-11-01\nsummary: s\ntargets: [debian12-x86_64]\nrequirements:\n"


def rest() -> list[str]:
    """Return the recipes that are in no shipped stack, but for those that the target cannot build.

    What it has no compiler for, or too old a tool, is rendered by itself for another target (`lone`).
    """
    seen = {node.package for reference in references() for node in shipped(reference)[0].nodes}
    others = set(catalogue().recipe_names()) - seen
    return sorted(name for name in others if buildable(catalogue().recipe(name), catalogue().target("debian12-x86_64")))


def buildable(recipe: Recipe, target: Target) -> bool:
    """Return whether the target compiles the recipe's languages and its tools are as new as the recipe asks."""
    tools = {one.package: Version(one.version) for one in target.externals}
    asked = [one.requirement for one in recipe.dependencies if one.requirement.package in tools]
    return set(target.compiler.languages).issuperset(recipe.languages) and all(
        one.constraint.admits(tools[one.package]) for one in asked if one.package not in catalogue().recipe_names()
    )


@cache
def rest_locked(folder: Path) -> tuple[Catalogue, Lock]:
    """Return a collection in `folder` with one stack of all of them, and its lock."""
    stack = folder / "stacks" / "rest" / "1" / "stack.yaml"
    stack.parent.mkdir(parents=True, exist_ok=True)
    (folder / "collection.yaml").write_text("name: rest\nversion: '1'\nsummary: s\n", encoding="utf-8")
    stack.write_text(STACK + "".join(f"  - {name}\n" for name in [*rest(), "zlib"]), encoding="utf-8")
    own = Catalogue.open([folder], here=folder)
    return own, locks.relock(own, "rest@1", commits=pretended).lock


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rest")


@pytest.mark.parametrize("name", RENDERERS)
def test_every_other_recipe_is_rendered_as_it_is_locked(name: str, folder: Path) -> None:
    own, lock = rest_locked(folder)
    assert set(rest()) <= {node.package for node in lock.nodes}
    recipes = {one: own.recipe(one) for one in own.recipe_names()}
    rendering = renderer(name).render(lock, recipes=recipes, file=files(own, own.stack("rest@1")))
    assert agreement.differences(lock, renderer(name).read_back(rendering.tree)) == ()
