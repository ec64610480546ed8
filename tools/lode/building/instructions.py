"""What rattler-build is told of a node: its environments, exact pins and rules, as a v1 recipe (CEP 13 and 14).

Nothing enters a recipe that the node's hash does not cover, for the package file is known by that hash alone: licence,
summary and the like are told by the lock.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lode.building import naming
from lode.definitions.recipe import Kind, System
from lode.definitions.target import Target
from lode.locking.graph import Node, dependencies, topological

PYTHON = "python"  # the package that brings the interpreter
_USED = (Kind.LINK, Kind.RUN)  # what a package needs once it is installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The packages that a build asks for, sorted; what these need in turn is not listed."""

    build: tuple[str, ...]  # tools, in $BUILD_PREFIX
    host: tuple[str, ...]  # what it is built against, in $PREFIX
    run: tuple[str, ...]  # what the finished package needs


def environments(node: Node, target: str, nodes: Mapping[str, Node]) -> Environments:
    """Return the environments of the node's build.

    A build tool that runs on the interpreter which the node is built for (a back-end, Cython, pybind11) must be
    importable there: it goes to the host environment, with pip.
    """
    build = set(dependencies(node, target, (Kind.BUILD,)))
    host = set(dependencies(node, target, (Kind.LINK,)))
    run = set(dependencies(node, target, _USED))
    for_python = node.build.system in (System.PYTHON, System.WHEEL)
    if for_python and PYTHON in build | run:
        host.add(PYTHON)
    if for_python or PYTHON in _closure(host, target, nodes):
        host |= {name for name in build if PYTHON in _closure([name], target, nodes)}
    return Environments(build=tuple(sorted(build - host)), host=tuple(sorted(host)), run=tuple(sorted(run)))


def needed(node: Node, target: str, nodes: Mapping[str, Node]) -> tuple[Node, ...]:
    """Return every node whose package must be there before `node` can be built, in build order."""
    asked = environments(node, target, nodes)
    reached = _closure([*asked.build, *asked.host], target, nodes)
    order = topological({name: dependencies(nodes[name], target, _USED) for name in reached})
    return tuple(nodes[name] for name in order)


def recipe(node: Node, target: Target, nodes: Mapping[str, Node], *, root: str) -> dict[str, Any]:
    """Return the recipe of `node`, whose build script lies in the workspace at `root`."""
    asked = environments(node, target.name, nodes)
    node_hash = node.hashes[target.name]

    def pins(names: Iterable[str]) -> list[str]:
        return [naming.exact(nodes[name], target.name) for name in names]

    linking: dict[str, Any] = {
        "overlinking_behavior": "error",
        "overdepending_behavior": "ignore",
        "missing_dso_allowlist": sorted({*target.system_libraries, *node.system_libraries}),
    }
    if node.prebuilt:
        linking["binary_relocation"] = False  # its wheel's hash was checked: leave it as it is
    return {
        "package": {"name": node.package, "version": naming.version_text(node.version)},
        "build": {
            "number": 0,
            "string": naming.build_string(node_hash),
            "script": {"content": [f"/bin/sh {shlex.quote(root)}/build.sh"]},
            "dynamic_linking": linking,
            "python": {"skip_pyc_compilation": ["**/*.py"]},  # the script does it, see `script`
        },
        "requirements": {
            "build": pins(asked.build),
            "host": pins(asked.host),
            "run": [f"__glibc >={target.glibc}", *pins(asked.run)],
        },
        "extra": {"lode": {"node": str(node_hash)}},
    }


def _closure(names: Collection[str], target: str, nodes: Mapping[str, Node]) -> set[str]:
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += dependencies(nodes[name], target, _USED)
    return reached
