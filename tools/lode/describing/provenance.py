"""How a release's tree came to be, as SLSA provenance v1 (slsa.dev/spec/v1.0/provenance)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lode import __version__
from lode.describing.records import NodeRecord
from lode.locking.graph import Lock, Node

PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:lode:build:1"


def slsa(lock: Lock, target: str, records: Sequence[NodeRecord]) -> dict[str, Any]:
    """Return the predicate: what was asked, every source and patch by sha256, what built it, and which seal held."""
    nodes = [node for node in lock.nodes if target in node.targets]
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "stack": lock.stack,
                "release": lock.release,
                "target": target,
                "lock": {"digest": {"sha256": lock.digest}},
            },
            "internalParameters": {
                "target": {"digest": {"sha256": lock.target(target).digest}},
                "pins": {name: str(value) for name, value in sorted(lock.tools.items())},
                "nodes": {node.package: {"sha256": node.hashes[target]} for node in nodes},
            },
            "resolvedDependencies": [one for node in nodes for one in _materials(node, target)],
        },
        "runDetails": {
            "builder": {"id": _builder(records), "version": {"lode": __version__, **_tools(records)}},
            "metadata": _times(records),
            "byproducts": [
                {
                    "name": record.package,
                    "digest": {"sha256": record.sha256},
                    "annotations": {
                        "inventory": record.inventory,
                        "node": record.node_hash,
                        "seal": record.record.seal,
                        "seal_reason": record.record.seal_reason,
                        "started": record.record.started,
                    },
                }
                for record in records
            ],
        },
    }


def seals(records: Sequence[NodeRecord]) -> tuple[str, ...]:
    """Return the seals under which the nodes were built, sorted; more than one when they differ."""
    return tuple(sorted({record.record.seal for record in records}))


def _builder(records: Sequence[NodeRecord]) -> str:
    """Return the builder's identity: its seal is part of it, for it decides what a build could see."""
    return f"urn:lode:builder:{'+'.join(seals(records)) or 'unknown'}"


def _tools(records: Sequence[NodeRecord]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for record in records:
        for name, version in record.record.tools.items():
            found.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions)) for name, versions in sorted(found.items())}


def _times(records: Sequence[NodeRecord]) -> dict[str, str]:
    started = sorted(record.record.started for record in records if record.record.started)
    return {"startedOn": started[0]} if started else {}


def _materials(node: Node, target: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for source in node.sources:
        if target in source.targets:
            origin = source.origins[0]
            uri = origin.location if origin.scheme in ("url", "git") else f"{origin.scheme}:{origin.location}"
            found.append({"name": node.package, "uri": uri, "digest": {"sha256": source.sha256}})
    for patch in node.patches:
        if target in patch.targets:
            uri = f"recipe:{node.package}/{patch.file}"
            found.append({"name": node.package, "uri": uri, "digest": {"sha256": patch.sha256}})
    return found
