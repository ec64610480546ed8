"""Hashes of targets and nodes: which of their fields decide what a build yields.

A node's hash on a target is a Merkle hash over an explicit document. What is left out, and why, is said in `LEFT_OUT`;
a test holds that every field of every class involved is either hashed or listed there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lode import digest
from lode.definitions.canonical import target_document
from lode.definitions.recipe import Kind
from lode.definitions.target import Target
from lode.digest import Digest
from lode.locking.graph import (
    BUILDING,
    Edge,
    LockedArgument,
    LockedBuild,
    LockedPatch,
    LockedSource,
    Node,
    dependencies,
    topological,
)

BUILDER_FORMAT = "rattler-1"  # a change of the builder that changes what comes out of the same node gets a new number

# class -> field -> why it is not in the hash
LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "Target": {
        "name": "a label: conditions on it are decided before hashing",
        "runtime_packages": "installed where the tree is used, after the build",
        "end_of_life": "a date for people",
        "place": "where it was written",
    },
    "External": {},
    "Base": {"mirror": "serves the packages that the snapshot decides"},
    "Compiler": {},
    "Node": {
        "summary": "text for people",
        "homepage": "text for people",
        "license": "text for people and reports",
        "redistributable": "decides where a tree may go, not what it holds",
        "cite": "text for people",
        "tags": "text for people",
        "externals": "what the OS brings is in the target's digest",
        "environment": "set when a prefix is activated, after the build",
        "tests": "run after the build",
        "system_libraries": "an allowance that the audit checks after the build",
        "upstream": "names in other ecosystems",
        "provider": "who builds it, the recipe being the same",
        "prebuilt": "follows from the build system, which is hashed",
        "targets": "each target has its own hash",
        "reasons": "why it is there",
        "recipe": "covers more than what is built",
        "hashes": "the result",
        "absent": "only the options of the target are hashed",
    },
    "LockedSource": {
        "origins": "places that serve the same bytes",
        "size": "follows from the bytes",
        "swhid": "another name of the bytes",
        "filename": "hashed for files that are not unpacked; an archive's kind is in its bytes",
        "targets": "only the sources of the target are hashed",
    },
    "LockedPatch": {
        "file": "a name; the content is hashed",
        "reason": "text for people",
        "upstream": "text for people",
        "until": "checked when locking",
        "targets": "only the patches of the target are hashed",
    },
    "LockedArgument": {
        "targets": "only the arguments of the target are hashed",
        "option": "for renderers; the words say it",
        "define": "for renderers; the words say it",
        "value": "for renderers; the words say it",
    },
    "LockedBuild": {
        "jobs": "how many at once does not change the result",
        "memory_mb": "for the scheduler",
    },
    "Edge": {
        "targets": "only the edges of the target are hashed",
        "constraint": "what was asked; what was chosen is hashed",
        "options": "what was asked; what was chosen is hashed",
    },
}


def of_target(target: Target) -> Digest:
    """Return the digest of all that decides what a build on `target` yields."""
    return digest.of_document("target", 1, target_document(target))


def hashed(nodes: Iterable[Node], targets: Mapping[str, Digest]) -> tuple[Node, ...]:
    """Return `nodes`, sorted by package, with their hashes on each of their targets (see `hashes`)."""
    known = {node.package: node for node in nodes}
    found = hashes(known.values(), targets)
    return tuple(replace(known[name], hashes=found[name]) for name in sorted(known))


def hashes(nodes: Iterable[Node], targets: Mapping[str, Digest]) -> dict[str, dict[str, Digest]]:
    """Return the hash of each of `nodes` on each of its targets, by package.

    `targets` maps names to target digests. graphlib.CycleError if the nodes depend on each other in a circle.
    """
    known = {node.package: node for node in nodes}
    found: dict[str, dict[str, Digest]] = {name: {} for name in known}
    contents = _Contents()
    orders: dict[tuple[tuple[str, tuple[str, ...]], ...], tuple[str, ...]] = {}
    for target in sorted(targets):
        needs = tuple((name, dependencies(node, target)) for name, node in known.items() if target in node.targets)
        if needs not in orders:  # most targets need the same
            orders[needs] = topological(dict(needs))
        for name in orders[needs]:
            document = {
                "builder": BUILDER_FORMAT,
                "target": targets[target],
                "content": contents.digest(known[name], target),
                "dependencies": _edges(known[name].edges, target, found),
            }
            found[name][target] = digest.of_document("node", 1, document)
    return found


class _Contents:
    """Digests of what a node is apart from its target and dependencies, computed once where targets do not differ."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, tuple[str, ...], tuple[bool, ...]], Digest] = {}

    def digest(self, node: Node, target: str) -> Digest:
        parts: tuple[LockedSource | LockedPatch | LockedArgument, ...] = (
            *node.sources,
            *node.patches,
            *node.build.args,
        )
        missing = tuple(sorted(name for name, targets in node.absent.items() if target in targets))
        key = (node.package, missing, tuple(target in part.targets for part in parts))
        if key not in self._seen:
            self._seen[key] = digest.of_document("node-content", 1, _content(node, target))
        return self._seen[key]


def _content(node: Node, target: str) -> dict[str, Any]:
    return {
        "package": node.package,
        "version": node.version,
        "options": {name: value for name, value in node.options.items() if target not in node.absent.get(name, ())},
        "languages": list(node.languages),
        "sources": [_source(source) for source in node.sources if target in source.targets],
        "patches": [_patch(patch) for patch in node.patches if target in patch.targets],
        "build": _build(node.build, target),
    }


def _source(source: LockedSource) -> dict[str, Any]:
    return {
        "sha256": source.sha256,
        "directory": source.directory,
        "subdirectory": source.subdirectory,
        "unpack": source.unpack,
        "filename": None if source.unpack else source.filename,
    }


def _patch(patch: LockedPatch) -> dict[str, Any]:
    return {"sha256": patch.sha256, "strip": patch.strip}


def _build(build: LockedBuild, target: str) -> dict[str, Any]:
    return {
        "system": str(build.system),
        "subdirectory": build.subdirectory,
        "args": [word for argument in build.args if target in argument.targets for word in argument.words],
        "environment": [list(pair) for pair in build.environment],
        "prepare": build.prepare,
        "targets": list(build.targets),
        "install_targets": list(build.install_targets),
        "script": build.script,
        "finish": build.finish,
        "in_source": build.in_source,
    }


def _edges(edges: tuple[Edge, ...], target: str, hashes: Mapping[str, Mapping[str, Digest]]) -> list[list[Any]]:
    kinds: dict[str, set[Kind]] = {}
    for edge in edges:
        if target in edge.targets:
            kinds.setdefault(edge.package, set()).update(kind for kind in edge.kinds if kind in BUILDING)
    return [
        [package, sorted(str(kind) for kind in kinds[package]), hashes[package][target]]
        for package in sorted(kinds)
        if kinds[package]
    ]
