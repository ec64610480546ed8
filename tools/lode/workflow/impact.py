"""What another version of a package would do: what is built again, who forbids it, which experiments have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lode.building.history import estimate
from lode.definitions.catalogue import Catalogue
from lode.definitions.language import requirement
from lode.definitions.requirement import Requirement
from lode.definitions.version import Clause, Constraint, Version
from lode.errors import LodeError, UsageError
from lode.locking.compare import Comparison, Turn, compare
from lode.locking.graph import Lock, dependencies
from lode.workflow.lock import locked, relock


@dataclass(frozen=True, slots=True, kw_only=True)
class StackImpact:
    """What the change does to one release of a stack that has the package."""

    stack: str
    release: str
    extends: str | None  # the release that it is an overlay of, `name@release`
    version: str  # that it has now
    rebuilt: tuple[tuple[str, str], ...]  # package and target, sorted
    cpu_s: float  # that building these takes, as far as known
    forbidden: tuple[str, ...]  # "hdf5 1.14 asks zlib <1.4": who does not admit the version
    comparison: Comparison | None = (
        None  # with the lock that the version gives; None when none was asked or there is none
    )
    problem: LodeError | None = None  # why there is no such lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What a change of a package does, over all stacks of all collections."""

    package: str
    version: str | None  # None: any change of it
    known: bool  # the recipe has the version
    stacks: tuple[StackImpact, ...]  # those that have the package, sorted
    unread: tuple[str, ...]  # stacks whose lock cannot be read, `name@release`


def impact(
    catalogue: Catalogue, package: str, version: str | None, *, times: Mapping[tuple[str, str], float]
) -> Impact:
    """Return what changing `package` (to `version`, when one is given) does; UsageError when there is no such recipe.

    A version that the recipe does not have yet is only held against the constraints. `times` are CPU seconds by target
    and package.
    """
    recipe = catalogue.find_recipe(package)
    if recipe is None:
        from lode.yamldoc import meant

        raise UsageError(f"there is no recipe called {package!r}", hint=meant(package, catalogue.recipe_names()))
    known = version is not None and any(stated.version.text == version for stated in recipe.versions)
    found, unread = [], []
    for name, release in catalogue.stacks():
        reference = f"{name}@{release}"
        try:
            lock = locked(catalogue, reference)
        except LodeError:
            unread.append(reference)
            continue
        if any(node.package == package for node in lock.nodes):
            found.append(_stack(catalogue, lock, package, version, times, known=known))
    return Impact(package=package, version=version, known=known, stacks=tuple(found), unread=tuple(unread))


def dependents(lock: Lock, package: str) -> tuple[tuple[str, str], ...]:
    """Return package and target of each node whose hash the node of `package` enters, its own among them, sorted."""
    found: set[tuple[str, str]] = set()
    for target in (one.definition.name for one in lock.targets):
        users: dict[str, list[str]] = {}
        for node in lock.nodes:
            if target in node.targets:
                for other in dependencies(node, target):
                    users.setdefault(other, []).append(node.package)
        waiting = [package] if target in lock.node(package).targets else []
        while waiting:
            name = waiting.pop()
            if (name, target) not in found:
                found.add((name, target))
                waiting += users.get(name, ())
    return tuple(sorted(found))


def _stack(
    catalogue: Catalogue,
    lock: Lock,
    package: str,
    version: str | None,
    times: Mapping[tuple[str, str], float],
    *,
    known: bool,
) -> StackImpact:
    reference = f"{lock.stack}@{lock.release}"
    rebuilt, after, comparison, problem = dependents(lock, package), lock, None, None
    if version is not None and known:
        try:
            after = relock(catalogue, reference, instead=_asked(lock, package, version)).lock
        except LodeError as error:
            problem = error
        else:
            comparison = compare(lock, after)
            moved = [change for change in comparison.changes if change.turn is not Turn.REMOVED]
            rebuilt = tuple(sorted((change.package, target) for change in moved for target in change.rebuilt))
    return StackImpact(
        stack=lock.stack,
        release=lock.release,
        extends=f"{lock.extends.stack}@{lock.extends.release}" if lock.extends else None,
        version=lock.node(package).version,
        rebuilt=rebuilt,
        cpu_s=sum(estimate(after.node(name), target, times) for name, target in rebuilt),
        forbidden=tuple(_forbidding(lock, package, Version(version))) if version else (),
        comparison=comparison,
        problem=problem,
    )


def _asked(lock: Lock, package: str, version: str) -> Requirement:
    """Return the request for `version`, with the options that the stack itself asks for."""
    options = next((one.options for one in map(requirement, lock.requirements) if one.package == package), ())
    clause = Clause(operator="==", version=Version(version))
    return Requirement(package=package, constraint=Constraint(clauses=(clause,)), options=options)


def _forbidding(lock: Lock, package: str, version: Version) -> Iterator[str]:
    for text in lock.requirements:
        asked = requirement(text)
        if asked.package == package and not asked.constraint.admits(version):
            yield f"the stack asks {asked}"
    for node in lock.nodes:
        for edge in node.edges:
            if edge.package == package and not Constraint.parse(edge.constraint).admits(version):
                yield f"{node.package} {node.version} asks {package} {edge.constraint}"
