"""Circles of dependencies between recipes, each told by its shortest way round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from lode.definitions.lint import Known
from lode.definitions.recipe import Recipe
from lode.definitions.requirement import ALWAYS
from lode.errors import Fault, Place

_Graph = dict[str, dict[str, tuple[Place | None, bool]]]  # package -> dependency -> place, and whether it may be absent


def faults(recipes: Iterable[Recipe], known: Known) -> Iterator[Fault]:
    """Yield one fault for each circle of dependencies that `recipes` reach, placed at a member of theirs.

    A circle that some condition, or a tool of the OS, can open is a warning.
    """
    selected = {recipe.name: recipe for recipe in recipes}
    graph = _graph(selected, known)
    for members in _circles(graph):
        inside = [name for name in members if name in selected]
        if not inside:
            continue
        circle = _shortest(graph, members, inside[0])
        edges = [graph[one][other] for one, other in pairwise(circle)]
        yield Fault(
            message=f"dependencies form a circle: {' > '.join(circle)}",
            place=edges[0][0],
            hint="remove one of these, or put it under a condition",
            warning=any(optional for _, optional in edges),
        )


def _graph(selected: Mapping[str, Recipe], known: Known) -> _Graph:
    graph: _Graph = {}
    waiting = sorted(selected)
    while waiting:
        name = waiting.pop()
        if name in graph:
            continue
        recipe = selected.get(name) or known.find(name)
        edges = graph.setdefault(name, {})
        for dependency in recipe.dependencies if recipe else ():
            package = dependency.requirement.package
            if dependency.kinds == ("test",):
                continue
            from_os = dependency.kinds == ("build",) and known.from_os(package)
            optional = dependency.when != ALWAYS or from_os
            if package not in edges or not optional:
                edges[package] = (dependency.requirement.place, optional)
            waiting.append(package)
    return graph


def _circles(graph: _Graph) -> list[list[str]]:
    """Return the strongly connected components of two packages or more, sorted (Tarjan 1972, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found = []
    for root in sorted(graph):
        work = [] if root in order else [(root, iter(sorted(graph[root])))]
        while work:
            name, rest = work[-1]
            if name not in order:
                order[name] = low[name] = len(order)
                stack.append(name)
                on_stack.add(name)
            for other in rest:
                if other not in order:
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in on_stack:
                    low[name] = min(low[name], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == order[name]:
                    at = stack.index(name)
                    members, stack[at:] = stack[at:], []
                    on_stack.difference_update(members)
                    if len(members) > 1:
                        found.append(sorted(members))
    return sorted(found)


def _shortest(graph: _Graph, members: list[str], start: str) -> list[str]:
    """Return a shortest way from `start` back to itself inside `members`."""
    inside = set(members)
    paths = [[start]]
    seen: set[str] = set()
    for path in paths:
        for other in sorted(graph[path[-1]]):
            if other == start:
                return [*path, start]
            if other in inside and other not in seen:
                seen.add(other)
                paths.append([*path, other])
    raise ValueError(f"{start} is in no circle")
