"""Which nodes of a lock a prefix holds."""

from __future__ import annotations

from lode.definitions.recipe import Kind
from lode.errors import UsageError
from lode.locking.graph import Lock, Node, build_order, closure

TOOLS = "(build)"  # stands for a group that every lock has and that no stack can name: what builds alone need


def selected(lock: Lock, target: str, group: str | None) -> tuple[Node, ...]:
    """Return the nodes that a prefix holds, in build order: what is asked for and what that links to and runs.

    Tools that are needed for building alone are not among them, unless the group is TOOLS: then it is these, with what
    they link to and run. What is left to another ecosystem never is. UsageError for a group that the lock does not
    have.
    """
    if group == TOOLS:
        asked = tuple(node.package for node in tools(lock, target))
    elif group is None:
        asked = tuple(requirement.split()[0] for requirement in lock.requirements)
    elif group in lock.groups:
        asked = lock.groups[group]
    else:
        names = ", ".join(sorted(lock.groups)) or "none"
        raise UsageError(f"{lock.stack}@{lock.release} has no group {group}", hint=f"its groups: {names}")
    here = [package for package in asked if target in lock.node(package).targets]
    nodes = closure(lock, here, target, (Kind.LINK, Kind.RUN))
    return tuple(node for node in nodes if node.provider == "lode")


def tools(lock: Lock, target: str) -> tuple[Node, ...]:
    """Return the nodes that are built here and needed for building alone, in build order."""
    kept = {node.package for node in selected(lock, target, None)}
    return tuple(node for node in build_order(lock, target) if node.package not in kept and node.provider == "lode")
