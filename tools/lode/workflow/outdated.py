"""What is behind in a collection: recipes behind upstream, stacks behind recipes, targets, vulnerabilities."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lode.definitions.catalogue import Catalogue
from lode.definitions.language import requirement
from lode.definitions.recipe import Recipe
from lode.definitions.version import Constraint, Version
from lode.errors import Fault, LodeError, UsageError
from lode.locking.graph import Lock, Node
from lode.progress import Progress
from lode.sourcing.access import Access
from lode.watching import osv, upstream
from lode.watching.osv import Subject, Vulnerability
from lode.watching.places import Watched, repository, watched
from lode.workflow.lock import locked
from lode.workflow.target import ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Newer:
    """A release upstream that the recipe does not have."""

    package: str
    has: str
    upstream: str
    where: str
    patches: tuple[str, ...] = ()  # that end with it, as their recipe says
    held: tuple[str, ...] = ()  # "dance-mini@2026.11 asks hdf5 ==1.14.*": stacks that would not take it


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A lock that has an older version than its recipe offers."""

    stack: str  # `name@release`
    package: str
    has: str
    recipe: str
    held: str = ""  # the stack's request that forbids it; empty: `lode lock --update` takes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A place that did not say what is newest, and why."""

    package: str
    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """All that is behind; what could not be found out beside it."""

    newer: tuple[Newer, ...]
    behind: tuple[Behind, ...]
    targets: tuple[Fault, ...]
    vulnerable: tuple[Vulnerability, ...]
    silent: tuple[Silence, ...]
    unwatched: tuple[str, ...]  # packages that no place shows releases of, sorted
    asked: int  # places that answered
    unknown: str = ""  # why vulnerabilities are not known
    unsearched: tuple[str, ...] = ()  # locked packages of which no vulnerability could be found by any name, sorted

    def __bool__(self) -> bool:
        """Return whether there is something to do."""
        return bool(self.newer or self.behind or self.targets or self.vulnerable)


def outdated(
    catalogue: Catalogue,
    packages: Sequence[str] = (),
    *,
    access: Access,
    today: datetime.date,
    progress: Progress,
    dump: Path | None = None,
    service: str = osv.SERVICE,
) -> Outdated:
    """Return what is behind, of all recipes or of `packages`; UsageError when there is no such recipe.

    `dump`: a folder of OSV records to search instead of asking its service. A place that cannot be reached is told of
    and no error.
    """
    recipes = _recipes(catalogue, packages)
    locks = _locks(catalogue)
    places = {recipe.name: watched(recipe) for recipe in recipes if recipe.versions and recipe.versions[0].sources}
    answers = upstream.ask((one for one in places.values() if one), access=access, progress=progress)
    known = {recipe.name: recipe for recipe in recipes}
    subjects = _subjects(locks, known, places)
    vulnerable, searched, unknown = _vulnerable(subjects, dump, service)
    said = [answer for answer in answers if answer.version is not None]
    return Outdated(
        newer=tuple(one for answer in said if (one := _newer(known[answer.watched.package], answer, locks))),
        behind=tuple(_behind(locks, known)),
        targets=ending((catalogue.target(name) for name in catalogue.target_names()), today) if not packages else (),
        vulnerable=vulnerable,
        silent=tuple(
            Silence(package=answer.watched.package, where=answer.watched.where, reason=answer.silence)
            for answer in answers
            if answer.version is None
        ),
        unwatched=tuple(sorted(name for name, place in places.items() if place is None)),
        asked=len(said),
        unknown=unknown,
        unsearched=_unsearched(locks, places, subjects, searched) if not unknown else (),
    )


def _recipes(catalogue: Catalogue, packages: Sequence[str]) -> list[Recipe]:
    for name in packages:
        if catalogue.find_recipe(name) is None:
            from lode.yamldoc import meant

            raise UsageError(f"there is no recipe called {name!r}", hint=meant(name, catalogue.recipe_names()))
    return [catalogue.recipe(name) for name in sorted(packages) or catalogue.recipe_names()]


def _locks(catalogue: Catalogue) -> tuple[Lock, ...]:
    """Return the lock of the newest release of each stack; one that cannot be read is `lode check`'s to report."""
    found = []
    for name in sorted({name for name, _ in catalogue.stacks()}):
        try:
            found.append(locked(catalogue, name))
        except LodeError:
            continue
    return tuple(found)


def _newer(recipe: Recipe, answer: upstream.Answer, locks: Sequence[Lock]) -> Newer | None:
    has = recipe.versions[0]
    try:
        there = Version(answer.version or "")
    except ValueError:
        return None
    if there.key <= has.version.key:
        return None
    return Newer(
        package=recipe.name,
        has=has.version.text,
        upstream=there.text,
        where=answer.watched.where,
        patches=tuple(
            patch.file for patch in has.patches if patch.until and Constraint.parse(patch.until).admits(there)
        ),
        held=tuple(
            f"{lock.stack}@{lock.release} asks {text}" for lock in locks for text in _held(lock, recipe.name, there)
        ),
    )


def _held(lock: Lock, package: str, version: Version) -> Iterator[str]:
    for text in lock.requirements:
        asked = requirement(text)
        if asked.package == package and not asked.constraint.admits(version):
            yield str(asked)


def _behind(locks: Sequence[Lock], known: dict[str, Recipe]) -> Iterator[Behind]:
    for lock in locks:
        for node in lock.nodes:
            recipe = known.get(node.package)
            offered = [one.version for one in recipe.versions if not one.deprecated] if recipe else []
            if offered and offered[0].key > Version(node.version).key:
                yield Behind(
                    stack=f"{lock.stack}@{lock.release}",
                    package=node.package,
                    has=node.version,
                    recipe=offered[0].text,
                    held=next(_held(lock, node.package, offered[0]), ""),
                )


def _subjects(
    locks: Sequence[Lock], known: Mapping[str, Recipe], places: Mapping[str, Watched | None]
) -> list[Subject]:
    """Return what OSV can know of the nodes of `locks`, those of `places` alone."""
    found = set()
    for node in (node for lock in locks for node in lock.nodes if node.package in places):
        git = repository(known[node.package], places[node.package])
        if git is not None:
            found.add(_named(node, "GIT", git, node.version))
        for origin in (origin for source in node.sources for origin in source.origins):
            equals = {"pypi": "==", "debian": "="}.get(origin.scheme)
            if equals:
                name, _, there = origin.location.partition("/")[0].partition(equals)
                found.add(_named(node, "PyPI" if origin.scheme == "pypi" else "Debian", name, there))
    return sorted(found)


def _named(node: Node, ecosystem: str, name: str, there: str) -> Subject:
    return Subject(package=node.package, version=node.version, ecosystem=ecosystem, name=name, there=there)


def _vulnerable(
    subjects: Sequence[Subject], dump: Path | None, service: str
) -> tuple[tuple[Vulnerability, ...], frozenset[str] | None, str]:
    """Return what is known, the ecosystems that were searched (None: all), and why nothing is known."""
    if dump is not None:
        found = osv.search(subjects, dump)
        return found.vulnerabilities, found.ecosystems, ""
    if not subjects:
        return (), None, ""
    try:
        return osv.ask(subjects, service=service), None, ""
    except LodeError as error:
        return (), None, error.faults[0].message


def _unsearched(
    locks: Sequence[Lock],
    places: Mapping[str, Watched | None],
    subjects: Sequence[Subject],
    searched: frozenset[str] | None,
) -> tuple[str, ...]:
    """Return the locked packages that no searched ecosystem has a name for."""
    named = {one.package for one in subjects if searched is None or one.ecosystem in searched}
    locked_here = {node.package for lock in locks for node in lock.nodes if node.sources and node.package in places}
    return tuple(sorted(locked_here - named))
