"""Looking through the catalogue: lists of what there is, and search by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Recipe
from lode.definitions.target import Target
from lode.errors import DefinitionError

# How much it counts where a word is found.
_SAME_NAME = 100
_NAME_BEGINS = 50
_IN_NAME = 30
_SAME_TAG = 25
_SUMMARY_WORD = 12
_IN_SUMMARY = 6
_IN_TAG = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One definition in a list. `faulty` ones have no more than a name."""

    name: str
    version: str = ""
    summary: str = ""
    tags: tuple[str, ...] = ()
    faulty: bool = False


def recipes(catalogue: Catalogue) -> tuple[Line, ...]:
    """Return a line for each recipe, by name, with its newest version."""
    return tuple([_recipe_line(catalogue, name) for name in catalogue.recipe_names()])


def stacks(catalogue: Catalogue) -> tuple[Line, ...]:
    """Return a line for each release of each stack, by name, oldest release first."""
    found = []
    for name, release in catalogue.stacks():
        try:
            stack = catalogue.stack(f"{name}@{release}")
        except DefinitionError:
            found.append(Line(name=name, version=release, faulty=True))
        else:
            found.append(Line(name=name, version=release, summary=stack.summary, tags=stack.targets))
    return tuple(found)


def targets(catalogue: Catalogue) -> tuple[Line, ...]:
    """Return a line for each target, by name."""
    found = []
    for name in catalogue.target_names():
        try:
            target = catalogue.target(name)
        except DefinitionError:
            found.append(Line(name=name, faulty=True))
        else:
            found.append(Line(name=name, version=target.os_version, summary=_target_summary(target)))
    return tuple(found)


def search(catalogue: Catalogue, words: Sequence[str]) -> tuple[Line, ...]:
    """Return the recipes in which every word is found, in name, tags or summary, the best first."""
    wanted = [word.lower() for word in words]
    ranked = []
    for line in recipes(catalogue):
        scores = [_score(word, line) for word in wanted]
        if scores and all(scores):
            ranked.append((-sum(scores), line.name, line))
    return tuple([line for _, _, line in sorted(ranked, key=lambda entry: entry[:2])])


def _recipe_line(catalogue: Catalogue, name: str) -> Line:
    try:
        recipe = catalogue.recipe(name)
    except DefinitionError:
        return Line(name=name, faulty=True)
    return Line(name=name, version=newest(recipe), summary=recipe.summary, tags=recipe.tags)


def newest(recipe: Recipe) -> str:
    """Return the newest version of `recipe` that is not deprecated, the newest of all if all are."""
    chosen = next((one for one in recipe.versions if one.deprecated is None), recipe.versions[0])
    return chosen.version.text


def _target_summary(target: Target) -> str:
    end = f", supported until {target.end_of_life}" if target.end_of_life else ""
    compiler = target.compiler
    return f"{target.os} {target.os_version}, {compiler.name} {compiler.version}, glibc {target.glibc}{end}"


def _score(word: str, line: Line) -> int:
    if word == line.name:
        return _SAME_NAME
    score = 0
    if word in line.name:
        score += _NAME_BEGINS if line.name.startswith(word) else _IN_NAME
    summary = line.summary.lower()
    if word in line.tags:
        score += _SAME_TAG
    elif any(word in tag for tag in line.tags):
        score += _IN_TAG
    if word in summary:
        words = "".join(character if character.isalnum() else " " for character in summary).split()
        score += _SUMMARY_WORD if word in words else _IN_SUMMARY
    return score
