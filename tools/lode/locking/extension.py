"""Stacks on top of others: the nodes of the extended lock, put as recipes that leave no choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from lode.definitions.recipe import Build, Dependency, Option, Recipe, RecipeVersion
from lode.definitions.requirement import Condition, Requirement
from lode.definitions.stack import StackDefinition
from lode.definitions.target import Target
from lode.definitions.version import Constraint, Version
from lode.errors import Fault, ResolutionError
from lode.locking import nodehash
from lode.locking.graph import (
    Edge,
    ExternalEdge,
    Lock,
    LockedArgument,
    LockedPatch,
    LockedSource,
    LockedTest,
    Node,
)
from lode.locking.survey import NOTHING_FIXED, Fixed
from lode.locking.universe import Rule, Source

_Part = TypeVar("_Part", LockedSource, LockedPatch, LockedArgument, LockedTest, Edge, ExternalEdge)


def check(base: Lock, stack: StackDefinition, targets: Mapping[str, Target]) -> None:
    """Raise ResolutionError unless each of `targets` is in `base` as it is now: its nodes are used as they are."""
    known = {target.definition.name: target.digest for target in base.targets}
    name = _name(base)
    faults = []
    for target in targets.values():
        if target.name not in known:
            message = f"{name} has no target {target.name}, so {stack.name}@{stack.release} cannot have it on top"
            hint = f"targets of {name}: {', '.join(known)}"
            faults.append(Fault(message=message, place=stack.place, hint=hint))
        elif nodehash.of_target(target) != known[target.name]:
            message = f"the target {target.name} is not what it was when {name} was locked"
            faults.append(Fault(message=message, place=target.place, hint=f"lock {name} again, or undo the change"))
    if faults:
        raise ResolutionError.of(faults)


def fixed(base: Lock | None) -> Fixed:
    """Return a recipe for each node of `base` with its one version, its options as they are, and its edges."""
    if base is None:
        return NOTHING_FIXED
    return Fixed(name=_name(base), recipes={node.package: _recipe(node) for node in base.nodes})


def requests(base: Lock) -> tuple[Rule, ...]:
    """Return the requirements of `base` as rules of our own."""
    packages = sorted({requirement.split()[0] for requirement in base.requirements})
    return tuple(
        Rule(source=Source.BASE, asker=_name(base), requirement=Requirement(package=package)) for package in packages
    )


def restricted(node: Node, targets: tuple[str, ...], reasons: tuple[str, ...]) -> Node:
    """Return the node of an extended lock on some of its targets, without hashes."""

    def here(parts: tuple[_Part, ...]) -> tuple[_Part, ...]:
        kept = ((part, tuple(name for name in part.targets if name in targets)) for part in parts)
        return tuple(replace(part, targets=where) for part, where in kept if where)

    return replace(
        node,
        sources=here(node.sources),
        patches=here(node.patches),
        build=replace(node.build, args=here(node.build.args)),
        edges=here(node.edges),
        externals=here(node.externals),
        tests=here(node.tests),
        targets=targets,
        reasons=reasons,
        hashes={},
        absent={
            name: where
            for name, lacking in node.absent.items()
            if (where := tuple(target for target in lacking if target in targets))
        },
    )


def _name(base: Lock) -> str:
    return f"{base.stack}@{base.release}"


def _recipe(node: Node) -> Recipe:
    return Recipe(
        name=node.package,
        summary=node.summary,
        homepage=node.homepage,
        license=node.license,
        versions=(RecipeVersion(version=Version(node.version), sources=()),),
        build=Build(system=node.build.system),
        options=tuple(
            Option(name=name, values=(value,), default=value, summary="")
            for name, value in sorted(node.options.items())
        ),
        dependencies=tuple(
            Dependency(
                requirement=Requirement(
                    package=edge.package, constraint=Constraint.parse(edge.constraint), options=edge.options
                ),
                kinds=edge.kinds,
                when=Condition(targets=edge.targets),
            )
            for edge in node.edges
        ),
    )
