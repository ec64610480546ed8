"""The shipped stacks as they lie in this repository, with what rendering takes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from lode.definitions import language
from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Recipe
from lode.definitions.stack import StackDefinition
from lode.locking.graph import Lock
from lode.locking.resolve import resolve
from lode.locking.update import NOTHING
from lode.rendering import File
from lode.workflow.lock import files, locked, tools


@cache
def catalogue() -> Catalogue:
    """Return the shipped collection alone."""
    return Catalogue.open([], here=None)


def references() -> list[str]:
    """Return the shipped stacks that have a lock."""
    found = [f"{name}@{release}" for name, release in catalogue().stacks()]
    return [one for one in found if catalogue().lock_path(catalogue().stack(one)).is_file()]


def shipped(reference: str) -> tuple[Lock, Mapping[str, Recipe], File]:
    """Return a stack's lock, all recipes of the collection, and the function that reads their files."""
    recipes = {name: catalogue().recipe(name) for name in catalogue().recipe_names()}
    return locked(catalogue(), reference), recipes, files(catalogue(), catalogue().stack(reference))


@cache
def uncovered() -> tuple[str, ...]:
    """Return the recipes of the collection that no shipped lock has, sorted."""
    covered = {node.package for one in references() for node in shipped(one)[0].nodes}
    return tuple(sorted(set(catalogue().recipe_names()) - covered))


@cache
def lone(package: str) -> tuple[Lock, Mapping[str, Recipe], File]:
    """Return what `shipped` does for a made-up stack that asks for nothing but `package`, on the first target."""
    target = catalogue().target(catalogue().target_names()[0])
    stack = StackDefinition(
        name="lone",
        release="1",
        date="2026-11-01",
        summary=f"{package} and what it needs",
        targets=(target.name,),
        requirements=(language.requirement(package),),
    )
    lock = resolve(
        stack,
        targets={target.name: target},
        recipe=catalogue().find_recipe,
        recipe_names=catalogue().recipe_names,
        file=files(catalogue(), stack),
        base=None,
        previous=None,
        update=NOTHING,
        collections=tuple((one.name, one.version) for one in catalogue().collections),
        tools=tools(),
        tell={}.__setitem__,
    )
    recipes = {name: catalogue().recipe(name) for name in catalogue().recipe_names()}
    return lock, recipes, files(catalogue(), stack)
