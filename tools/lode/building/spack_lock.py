"""What Spack chose, read from its `spack.lock`, against what the lock says.

Format: lockfile version 6 and 7 of Spack (`_meta`, `concrete_specs` by hash), Spack 1.0 to 1.2.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lode.errors import BuildError
from lode.locking.graph import BUILDING, Lock, Node, dependencies
from lode.rendering.spack.externals import COMPILERS
from lode.rendering.spack.words import Words, processor, system

_OWN = frozenset(("compiler-wrapper", "gcc-runtime", "glibc", "musl"))  # what Spack adds to every compiled package
_NEEDED = frozenset(("build", "link", "run"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One package as Spack concretized it."""

    name: str
    version: str
    namespace: str
    hash: str
    external: bool
    os: str
    target: str
    parameters: Mapping[str, Any]  # variants and flags; patches by sha256
    needs: Mapping[str, str]  # name to hash of what it is built, linked or run with


def read(path: Path) -> Mapping[str, Chosen]:
    """Return the packages in the `spack.lock` at `path`, by hash; BuildError if it is not one."""
    try:
        document = json.loads(path.read_bytes())
        return {key: parsed(key, spec) for key, spec in document["concrete_specs"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BuildError(f"{path} is not a spack.lock that can be read: {error!r}", hint="concretize again") from error


def differences(lock: Lock, target: str, chosen: Mapping[str, Chosen], words: Words) -> tuple[str, ...]:
    """Return a sentence for each thing that Spack chose otherwise than `lock` says of `target`, sorted."""
    return tuple(sorted(_differences(lock, target, chosen, words)))


def of_node(node: Node, chosen: Mapping[str, Chosen], words: Words) -> Chosen:
    """Return the package that stands for `node`; it is there, and once, where nothing differs."""
    return next(one for one in chosen.values() if one.name == words.name(node.package))


def below(hashes: Iterable[str], chosen: Mapping[str, Chosen]) -> set[str]:
    """Return `hashes` and those of all that their packages need, directly or not."""
    reached: set[str] = set()
    waiting = list(hashes)
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached.add(key)
            waiting += chosen[key].needs.values()
    return reached


def parsed(key: str, spec: Mapping[str, Any]) -> Chosen:
    """Return the package that one entry of `concrete_specs` describes; KeyError, TypeError if it is none."""
    arch = spec["arch"]
    processor_name = arch["target"] if isinstance(arch["target"], str) else arch["target"]["name"]
    return Chosen(
        name=spec["name"],
        version=spec["version"],
        namespace=spec["namespace"],
        hash=key,
        external="external" in spec,
        os=arch["platform_os"],
        target=processor_name,
        parameters=spec.get("parameters", {}),
        needs={
            one["name"]: one["hash"]
            for one in spec.get("dependencies", ())
            if _NEEDED.intersection(one["parameters"]["deptypes"])
        },
    )


def _differences(lock: Lock, target: str, chosen: Mapping[str, Chosen], words: Words) -> Iterator[str]:
    nodes = {words.name(node.package): node for node in lock.nodes if target in node.targets}
    by_name: dict[str, list[Chosen]] = {}
    for one in chosen.values():
        by_name.setdefault(one.name, []).append(one)
    for name, node in nodes.items():
        found = by_name.get(name, [])
        if not found:
            yield f"{node.package}: Spack left it out"
        elif len(found) > 1:
            yield f"{node.package}: Spack has it {len(found)} times ({', '.join(sorted(one.version for one in found))})"
        for one in found:
            yield from _node(node, one, lock, target, words)
            yield from _edges(node, one, nodes, target, words)
    yield from _tools(lock, target, by_name, words)
    yield from _added(chosen, nodes, words)


def _node(node: Node, one: Chosen, lock: Lock, target: str, words: Words) -> Iterator[str]:
    definition = lock.target(target).definition
    delegated = words.is_delegated(node.package)
    package = node.package
    wanted = "builtin" if delegated else words.namespace
    if one.version != node.version:
        yield f"{package}: Spack chose version {one.version}, the lock has {node.version}"
    if one.namespace != wanted:
        yield f"{package}: Spack took it from {one.namespace}, not from {wanted}"
    if one.external:
        yield f"{package}: Spack took the one that this machine has"
    if (one.os, one.target) != (system(definition), processor(definition)):
        yield (
            f"{package}: Spack chose it for {one.os} {one.target}, "
            f"the target is {system(definition)} {processor(definition)}"
        )
    if delegated:
        asked = dict(_variant(part) for part in words.delegated_variants(package))
    else:
        there = {name: value for name, value in node.options.items() if target not in node.absent.get(name, ())}
        asked = {words.variant(name): value for name, value in there.items()}
        patches = sorted(patch.sha256 for patch in node.patches if target in patch.targets)
        if sorted(one.parameters.get("patches", ())) != patches:
            yield f"{package}: Spack applies other patches than the lock has"
    for name, value in sorted(asked.items()):
        found = _value(one.parameters.get(name))
        if found != value:
            yield f"{package}: Spack chose {name}={found}, the lock has {name}={value}"


def _edges(node: Node, one: Chosen, nodes: Mapping[str, Node], target: str, words: Words) -> Iterator[str]:
    if words.is_delegated(node.package):
        return
    wanted = {words.name(name) for name in dependencies(node, target, BUILDING)}
    found = one.needs.keys() & nodes.keys()
    for name in sorted(wanted - found):
        yield f"{node.package}: Spack left out that it needs {nodes[name].package}"
    for name in sorted(found - wanted):
        yield f"{node.package}: Spack added that it needs {nodes[name].package}"


def _tools(lock: Lock, target: str, by_name: Mapping[str, list[Chosen]], words: Words) -> Iterator[str]:
    definition = lock.target(target).definition
    wanted = {words.name(tool.package): tool.version for tool in definition.externals}
    wanted[COMPILERS.get(definition.compiler.name, definition.compiler.name)] = definition.compiler.version
    there = {words.name(node.package) for node in lock.nodes if target in node.targets}
    for name, version in sorted(wanted.items()):
        for one in by_name.get(name, ()) if name not in there else ():
            if not one.external or one.version != version:
                yield f"{name}: Spack chose version {one.version}, {target} brings {version}"


def _added(chosen: Mapping[str, Chosen], nodes: Mapping[str, Node], words: Words) -> Iterator[str]:
    left_to_spack = below(
        {one.hash for one in chosen.values() if one.name in nodes and words.is_delegated(nodes[one.name].package)},
        chosen,
    )
    for one in chosen.values():
        known = one.name in nodes or one.name in _OWN or one.external or one.hash in left_to_spack
        if not known:
            yield f"{one.name} {one.version}: Spack added it, the lock does not have it"


def _value(parameter: object) -> str:
    if isinstance(parameter, bool):
        return "true" if parameter else "false"
    if isinstance(parameter, list):
        return ",".join(sorted(map(str, parameter)))
    return "(none)" if parameter is None else str(parameter)


def _variant(part: str) -> tuple[str, str]:
    """Return name and value of a variant as specs write it: `+x`, `~x`, `y=z`."""
    if part[0] in "+~":
        return part[1:], "true" if part[0] == "+" else "false"
    name, _, value = part.partition("=")
    return name, ",".join(sorted(value.split(",")))
