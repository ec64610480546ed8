"""The shipped stacks as they lie in this repository, with what rendering takes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Recipe
from lode.locking.graph import Lock
from lode.rendering import File
from lode.workflow.lock import files, locked


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
