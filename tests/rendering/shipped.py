"""The shipped stacks as they lie in this repository, with what rendering takes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from lode import digest
from lode.definitions import language
from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Recipe
from lode.definitions.stack import StackDefinition
from lode.digest import Digest
from lode.errors import ResolutionError
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
    """Return what `shipped` does for a made-up stack that asks for nothing but `package`, on the first target that can.

    ResolutionError of the last target when none can.
    """
    recipes = {name: catalogue().recipe(name) for name in catalogue().recipe_names()}
    *others, last = catalogue().target_names()
    for name in others:
        with contextlib.suppress(ResolutionError):
            lock, file = _made_up((package,), name)
            return lock, recipes, file
    lock, file = _made_up((package,), last)
    return lock, recipes, file


@cache
def remaining() -> tuple[tuple[Lock, Mapping[str, Recipe], File], ...]:
    """Return what `shipped` does for made-up stacks that have together all recipes that no shipped lock has.

    Each is of the recipes that `lone` takes to the same target; ResolutionError if they do not fit together.
    """
    on_target: dict[str, list[str]] = {}
    for package in uncovered():
        (target,) = lone(package)[0].targets
        on_target.setdefault(target.definition.name, []).append(package)
    recipes = {name: catalogue().recipe(name) for name in catalogue().recipe_names()}
    made = [_made_up(tuple(packages), name) for name, packages in sorted(on_target.items())]
    return tuple((lock, recipes, file) for lock, file in made)


def pretended(location: str) -> Digest:
    """Return a hash for a commit whose tree nobody fetches here: that of its place."""
    return digest.of_bytes(location.encode())


def _made_up(packages: tuple[str, ...], name: str) -> tuple[Lock, File]:
    target = catalogue().target(name)
    languages = ("c", "cxx", "fortran")  # no shipped target compiles Fortran, but recipes do
    compiler = replace(target.compiler, languages=languages, fortran="/usr/bin/gfortran")
    stack = StackDefinition(
        name="lone",
        release="1",
        date="2026-11-01",
        summary=f"{', '.join(packages)} and what they need",
        targets=(name,),
        requirements=tuple(language.requirement(package) for package in packages),
    )
    lock = resolve(
        stack,
        targets={name: replace(target, compiler=compiler)},
        recipe=catalogue().find_recipe,
        recipe_names=catalogue().recipe_names,
        file=files(catalogue(), stack),
        commits=pretended,
        base=None,
        previous=None,
        update=NOTHING,
        collections=tuple((one.name, one.version) for one in catalogue().collections),
        tools=tools(),
        tell={}.__setitem__,
    )
    return lock, files(catalogue(), stack)
