"""The part of a choice that one target needs: which packages are there, and which rules bring them.

The solver answers for all targets at once; what is there on a target is what the stack's requests reach on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lode.definitions.recipe import Dependency
from lode.definitions.version import Version
from lode.locking.conditions import Choice, exists, holds, met_by_os
from lode.locking.universe import Universe


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A version for each package, and a value for each of its options, whether they will be there or not."""

    versions: Mapping[str, Version]
    options: Mapping[tuple[str, str], str]  # (package, option)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is there on a target."""

    target: str
    present: Mapping[str, Choice]  # sorted by name; options are those that exist on this target
    edges: Mapping[str, tuple[Dependency, ...]]  # active dependencies of each package that nodes meet
    externals: Mapping[str, tuple[Dependency, ...]]  # and those that the target's OS meets


def cut(universe: Universe, chosen: Chosen, target: str) -> Cut:
    """Return what the requests of the stack reach on `target`; the least set, so that nothing is there for itself."""
    place = universe.targets[target]
    present: dict[str, Choice] = {}
    edges: dict[str, list[Dependency]] = {}
    externals: dict[str, list[Dependency]] = {}
    waiting = sorted({rule.requirement.package for rule in universe.requests})
    blocked: list[tuple[str, Dependency]] = []
    while waiting or blocked:
        for name in waiting:
            if name not in present:
                present[name] = _choice(universe, chosen, name, target)
                edges[name], externals[name] = [], []
                blocked += [(name, dependency) for dependency in universe.members[name].recipe.dependencies]
        waiting, still = [], []
        for name, dependency in blocked:
            if not holds(dependency.when, present[name], place, present):
                still.append((name, dependency))
            elif not universe.members[name].fixed and met_by_os(dependency, place, universe.own):
                externals[name].append(dependency)
            else:
                edges[name].append(dependency)
                waiting.append(dependency.requirement.package)
        if len(still) == len(blocked):
            break
        blocked = [(name, dependency) for name, dependency in still if dependency.when.packages]
    return Cut(
        target=target,
        present={name: present[name] for name in sorted(present)},
        edges={name: tuple(edges[name]) for name in sorted(edges)},
        externals={name: tuple(externals[name]) for name in sorted(externals)},
    )


def asked_options(universe: Universe, cuts: Mapping[str, Cut]) -> set[tuple[str, str, str]]:
    """Return (package, option, value) for all that a request or an active dependency asks for."""
    asked = {
        (rule.requirement.package, name, value)
        for rule in universe.requests
        for name, value in rule.requirement.options
    }
    for part in cuts.values():
        for dependencies in part.edges.values():
            for dependency in dependencies:
                asked.update(
                    (dependency.requirement.package, name, value) for name, value in dependency.requirement.options
                )
    return asked


def asked_exactly(universe: Universe, cuts: Mapping[str, Cut], package: str, version: Version) -> bool:
    """Return whether a request or an active dependency asks for this version of `package` by `==`."""
    requests = [rule.requirement for rule in universe.requests]
    for part in cuts.values():
        requests += [dependency.requirement for needed in part.edges.values() for dependency in needed]
    return any(
        clause.operator == "==" and not clause.prefix and clause.version.key == version.key
        for request in requests
        if request.package == package
        for clause in request.constraint.clauses
    )


def _choice(universe: Universe, chosen: Chosen, name: str, target: str) -> Choice:
    version = chosen.versions[name]
    options = {
        option.name: chosen.options[name, option.name]
        for option in universe.members[name].recipe.options
        if exists(option, version, universe.targets[target])
    }
    return Choice(version=version, options=options)
