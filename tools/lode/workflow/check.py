"""Checking definitions: every fault of a collection, or of what lies below one path, in one go."""

from __future__ import annotations

import datetime
import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from lode.definitions import cycles, folders, lint, named, read_repository
from lode.definitions.catalogue import Catalogue, Selection
from lode.definitions.recipe import Recipe, System
from lode.errors import DefinitionError, Fault, Place, UsageError
from lode.workflow.target import ending

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """How many definitions were looked at, and what is wrong, by file, line and column."""

    recipes: int
    stacks: int
    targets: int
    policies: int
    repositories: int
    faults: tuple[Fault, ...]

    @property
    def errors(self) -> int:
        """Return how many of the faults are more than warnings."""
        return sum(not fault.warning for fault in self.faults)


def check(catalogue: Catalogue, path: Path | None = None, *, today: datetime.date | None = None) -> CheckReport:
    """Return the faults of the definitions at or below `path`, or of the catalogue's first collection.

    Other definitions are read as far as these refer to them, and their own faults are left to whoever checks them.
    With `today`, what of a trust policy expires soon is a fault too, and a target whose support ends soon, warnings.
    UsageError when `path` does not exist or is no definition of the catalogue.
    """
    if path is not None and not path.exists():
        raise UsageError(f"{path} does not exist")
    if not catalogue.collections:
        raise UsageError("there is no collection here", hint="`lode init` starts one")
    root = (path if path is not None else catalogue.collections[0].folder).resolve()
    selected = catalogue.below(root)
    strays = list(catalogue.strays(root))
    policies = [file for one in catalogue.collections if (file := one.folder / folders.TRUST_FILE).is_file()]
    policies = [file for file in policies if file.is_relative_to(root)]
    repositories = [file for file in _repositories(catalogue) if file.is_relative_to(root)]
    nothing = selected == Selection(recipes=(), stacks=(), targets=()) and not (strays or policies or repositories)
    if path is not None and nothing:
        hint = "give a collection, a recipe's or stack's folder, or one of their files; a collection.yaml makes one"
        raise UsageError(f"{path} holds no definition that Lode would find", hint=hint)
    with _without_collector():
        faults = {*strays, *_definition_faults(catalogue, selected)}
        for file in policies:
            faults |= {*_policy_faults(file, catalogue.shown(file), today)}
        for file in repositories:
            faults |= {*_repository_faults(file, catalogue.shown(file))}
        if today is not None:
            faults.update(ending(_read(catalogue.target, selected.targets, []), today))
    return CheckReport(
        recipes=len(selected.recipes),
        stacks=len(selected.stacks),
        targets=len(selected.targets),
        policies=len(policies),
        repositories=len(repositories),
        faults=tuple(sorted(faults, key=lambda fault: (fault.place or Place(file=""), fault.message))),
    )


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python's collector of reference circles away: definitions have none, and it would walk them all each time.

    On 2,000 recipes it takes a fifth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def _repositories(catalogue: Catalogue) -> list[Path]:
    return [
        file
        for one in catalogue.collections
        for file in folders.entries(one.folder / folders.REPOSITORIES)
        if file.suffix in (".yaml", ".yml")
    ]


def _repository_faults(file: Path, shown: str) -> Iterator[Fault]:
    if file.suffix == ".yml":
        yield Fault(message="Lode reads files named .yaml only", place=Place(file=shown), hint="rename it")
        return
    try:
        read_repository.read(file.read_bytes(), file=shown, name=file.stem)
    except DefinitionError as error:
        yield from error.faults
    except OSError as error:
        yield Fault(message=f"cannot be read: {error.strerror}", place=Place(file=shown))


def _policy_faults(file: Path, shown: str, today: datetime.date | None) -> Iterator[Fault]:
    from lode.definitions import read_trust  # with what reads keys, which is slow to import

    try:
        policy = read_trust.read(file.read_bytes(), file=shown, beside=lambda name: (file.parent / name).read_bytes())
    except DefinitionError as error:
        yield from error.faults
        return
    except OSError as error:
        yield Fault(message=f"cannot be read: {error.strerror}", place=Place(file=shown))
        return
    if today is not None:
        yield from read_trust.expiring(policy, today)


def _definition_faults(catalogue: Catalogue, selected: Selection) -> Iterator[Fault]:
    faults: list[Fault] = []
    recipes = _read(catalogue.recipe, selected.recipes, faults)
    stacks = _read(catalogue.stack, ["@".join(key) for key in selected.stacks], faults)
    _read(catalogue.target, selected.targets, faults)
    yield from faults
    known = _known(catalogue)
    for recipe in recipes:
        yield from lint.recipe_faults(recipe, known)
        yield from _missing(lint.recipe_files(recipe), partial(catalogue.recipe_file, recipe.name))
        yield from _named_upstream(catalogue, recipe)
    for stack in stacks:
        yield from lint.stack_faults(stack, known)
        yield from _missing(lint.test_files(stack.tests), partial(catalogue.stack_file, stack))
    yield from cycles.faults(recipes, known)


def _named_upstream(catalogue: Catalogue, recipe: Recipe) -> Iterator[Fault]:
    """Yield how `recipe` and what upstream names differ, when the recipe's folder says what that is."""
    if recipe.build.system not in (System.PYTHON, System.WHEEL):
        return
    path = Path(recipe.folder) / named.FILE
    if not path.exists():
        return
    try:
        content = catalogue.recipe_file(recipe.name, named.FILE).read_bytes()
        yield from named.faults(recipe, named.read(content, file=catalogue.shown(path)))
    except DefinitionError as error:
        yield from error.faults


def _read(reader: Callable[[str], Value], names: Iterable[str], faults: list[Fault]) -> list[Value]:
    found = []
    for name in names:
        try:
            found.append(reader(name))
        except DefinitionError as error:
            faults += error.faults
    return found


def _known(catalogue: Catalogue) -> lint.Known:
    @cache
    def find(name: str) -> Recipe | None:
        try:
            return catalogue.find_recipe(name)
        except DefinitionError:
            return None

    return lint.Known(
        names=frozenset(catalogue.recipe_names()),
        find=find,
        targets={target.name: target for target in _read(catalogue.target, catalogue.target_names(), [])},
        target_names=frozenset(catalogue.target_names()),
        stacks=frozenset("@".join(key) for key in catalogue.stacks()),
    )


def _missing(files: Iterable[tuple[str, Place | None]], find: Callable[[str], Path]) -> Iterator[Fault]:
    """Yield the faults of `files` that `find` refuses, placed where each is named."""
    for file, place in files:
        try:
            find(file)
        except DefinitionError as error:
            yield from [replace(fault, place=place) for fault in error.faults]
