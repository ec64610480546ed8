"""What must be there while a node is built: tools, what it is built against, and what these need in turn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lode.definitions.recipe import Kind, System
from lode.locking.graph import Node, dependencies, topological

PYTHON = "python"  # the package that brings the interpreter
USED = (Kind.LINK, Kind.RUN)  # what a package needs once it is installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The packages that a build asks for, sorted; what these need in turn is not listed."""

    build: tuple[str, ...]  # tools, in $BUILD_PREFIX
    host: tuple[str, ...]  # what it is built against, in $PREFIX
    run: tuple[str, ...]  # what the finished package needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What comes along with each node of a target when it is installed; each is looked up once."""

    target: str
    nodes: Mapping[str, Node]
    _known: dict[str, frozenset[str]] = field(default_factory=dict, compare=False)

    def closure(self, names: Iterable[str]) -> frozenset[str]:
        """Return `names` and all that they need once they are installed."""
        return frozenset().union(*(self._of(name) for name in names))

    def _of(self, name: str) -> frozenset[str]:
        found = self._known.get(name)
        if found is None:
            needed = dependencies(self.nodes[name], self.target, USED)
            found = self._known[name] = frozenset({name}).union(*(self._of(other) for other in needed))
        return found


def environments(node: Node, installed: Installed) -> Environments:
    """Return the environments of the node's build.

    A build tool that runs on the interpreter which the node is built for (a back-end, Cython, pybind11) must be
    importable there: it goes to the host environment, with pip.
    """
    build = set(dependencies(node, installed.target, (Kind.BUILD,)))
    host = set(dependencies(node, installed.target, (Kind.LINK,)))
    run = set(dependencies(node, installed.target, USED))
    for_python = node.build.system in (System.PYTHON, System.WHEEL)
    if for_python and PYTHON in build | run:
        host.add(PYTHON)
    if for_python or PYTHON in installed.closure(host):
        host |= {name for name in build if PYTHON in installed.closure([name])}
    return Environments(build=tuple(sorted(build - host)), host=tuple(sorted(host)), run=tuple(sorted(run)))


def needed(node: Node, installed: Installed) -> tuple[Node, ...]:
    """Return every node whose package must be there before `node` can be built, in build order."""
    asked = environments(node, installed)
    return in_order(installed.closure([*asked.build, *asked.host]), installed)


def present(node: Node, installed: Installed, order: Sequence[Node]) -> tuple[Node, ...]:
    """Return what `needed` does, in the order of `order`, which holds all nodes of the target."""
    asked = environments(node, installed)
    there = installed.closure([*asked.build, *asked.host])
    return tuple(other for other in order if other.package in there)


def in_order(names: Collection[str], installed: Installed) -> tuple[Node, ...]:
    """Return the nodes of `names`, each after those of them that it needs once installed."""
    order = topological({name: dependencies(installed.nodes[name], installed.target, USED) for name in names})
    return tuple(installed.nodes[name] for name in order)
