"""Names, versions and texts as conda has them (CEP 13, 14 and 26), and the environments that a build asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lode.definitions.recipe import Kind, System
from lode.definitions.target import Target
from lode.definitions.version import Constraint
from lode.locking.graph import Node, dependencies
from lode.rendering.weakening import Inexpressible

PYTHON = "python"  # the package that brings the interpreter
_USED = (Kind.LINK, Kind.RUN)  # what a package needs once it is installed
_PLATFORMS = {"x86_64": "linux-64", "aarch64": "linux-aarch64", "ppc64le": "linux-ppc64le", "riscv64": "linux-riscv64"}
_OTHERS = re.compile(r"[^a-z0-9_.+]+")
_RUNS = re.compile(r"[._+]*[.+][._+]*|__+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The packages of the lock that a build asks for, sorted; what these need in turn is not listed."""

    build: tuple[str, ...]  # tools, in $BUILD_PREFIX
    host: tuple[str, ...]  # what it is built against, in $PREFIX
    run: tuple[str, ...]  # what the finished package needs


def environments(node: Node, target: str, nodes: Mapping[str, Node]) -> Environments:
    """Return the environments of the node's build.

    A build tool that runs on the interpreter which the node is built for (a back-end, Cython) must be importable there:
    it goes to the host environment.
    """
    build = set(dependencies(node, target, (Kind.BUILD,)))
    host = set(dependencies(node, target, (Kind.LINK,)))
    run = set(dependencies(node, target, _USED))
    for_python = node.build.system in (System.PYTHON, System.WHEEL)
    if for_python and PYTHON in build | run:
        host.add(PYTHON)
    if for_python or _uses_python(host, target, nodes):
        host |= {name for name in build if _uses_python([name], target, nodes)}
    return Environments(build=tuple(sorted(build - host)), host=tuple(sorted(host)), run=tuple(sorted(run)))


def platform(target: Target) -> str:
    """Return conda's name of the target's platform; Inexpressible when it has none."""
    if target.arch not in _PLATFORMS:
        raise Inexpressible(f"conda has no platform for {target.arch} ({target.name})")
    return _PLATFORMS[target.arch]


def version(text: str) -> str:
    """Return a version in conda's grammar: `R-3_06_02` becomes `r_3_06_02`, `4.3.4~rc1` `4.3.4_rc1`."""
    found = _RUNS.sub(lambda run: _joint(run.group()), _OTHERS.sub("_", text.lower())).strip("._+")
    local = found.find("+")
    return found if local < 0 else found[: local + 1] + found[local + 1 :].replace("+", ".")


def constraint(text: str) -> str:
    """Return a constraint of a recipe as conda writes it: `>=3.16,==3.*` becomes `>=3.16,3.*`; empty admits all."""
    parts = []
    for clause in Constraint.parse(text).clauses:
        there = version(clause.version.text)
        if not clause.prefix:
            parts.append(f"{clause.operator}{there}")
        else:
            parts.append(f"{'!=' if clause.operator == '!=' else ''}{there}.*")
    return ",".join(parts)


def string(node: Node, target: str) -> str:
    """Return the build string of a node: its hash, so that no other package is ever taken for it."""
    return f"r{node.hashes[target][:16]}_0"


def exact(node: Node, target: str) -> str:
    """Return the requirement that only the package of this node meets."""
    return f"{node.package} =={version(node.version)} {string(node, target)}"


def literal(text: str) -> str:
    """Return any text so that a v1 recipe has it as it is, although parts of it look like a template."""
    if "{" not in text:
        return text
    inside = json.dumps(text, ensure_ascii=False).replace("{", "\\u007b").replace("}", "\\u007d")
    return f"${{{{ {inside} }}}}"


def _joint(run: str) -> str:
    return "+" if "+" in run else "." if "." in run else "_"


def _uses_python(names: Collection[str], target: str, nodes: Mapping[str, Node]) -> bool:
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += dependencies(nodes[name], target, _USED)
    return PYTHON in reached
