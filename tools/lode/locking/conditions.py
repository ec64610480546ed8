"""Whether conditions hold, and whether the OS meets a dependency: the decisions that need no solver."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lode.definitions.recipe import Dependency, Kind, Option
from lode.definitions.requirement import Condition, Requirement
from lode.definitions.target import Target
from lode.definitions.version import Constraint, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen for a package: its version and the values of its options."""

    version: Version
    options: Mapping[str, str]


def on_target(condition: Condition, target: Target) -> bool:
    """Return whether the parts of `condition` that speak of targets admit `target`."""
    return (
        (not condition.targets or target.name in condition.targets)
        and (not condition.os or target.os in condition.os)
        and (not condition.arch or target.arch in condition.arch)
    )


def exists(option: Option, version: Version, target: Target) -> bool:
    """Return whether a package of `version` has `option` on `target`."""
    return option.when.version.admits(version) and on_target(option.when, target)


def meets(requirement: Requirement, choice: Choice | None) -> bool:
    """Return whether `choice` satisfies `requirement`; a package that is not there (None) satisfies nothing."""
    return (
        choice is not None
        and requirement.constraint.admits(choice.version)
        and all(choice.options.get(name) == value for name, value in requirement.options)
    )


def holds(condition: Condition, choice: Choice, target: Target, present: Mapping[str, Choice]) -> bool:
    """Return whether `condition`, stated by a package of `choice`, holds on `target` beside the packages `present`.

    An option that the package does not have on this target makes every condition on it false.
    """
    return (
        on_target(condition, target)
        and condition.version.admits(choice.version)
        and all(choice.options.get(name) == value for name, value in condition.options)
        and all(meets(other, present.get(other.package)) for other in condition.packages)
    )


def met_by_os(dependency: Dependency, target: Target, own: Collection[str]) -> bool:
    """Return whether the OS of `target` brings what `dependency` asks for: a build tool of an admitted version.

    What is also linked, run or tested with must be in the prefix; so must a tool asked for with options, since nobody
    knows those of the OS, and one that the stack wants as its `own`.
    """
    request = dependency.requirement
    if dependency.kinds != (Kind.BUILD,) or request.options or request.package in own:
        return False
    return any(
        tool.package == request.package and admits(request.constraint, Version(tool.version))
        for tool in target.externals
    )


def admits(constraint: Constraint, version: Version) -> bool:
    """Return whether `version` satisfies `constraint`, quickly when it asks for nothing."""
    return not constraint.clauses or constraint.admits(version)
