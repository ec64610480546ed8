"""What a node's build leaves behind, and the record of how it came to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lode.digest import Digest
from lode.locking.graph import Lock, Node


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecord:
    """How an artifact was made. Nothing in it enters a hash: two honest builds differ here and nowhere else."""

    seal: str  # "bubblewrap", "namespaces", "docker", "none"
    seal_reason: str  # why no better seal held; empty when sealed
    wall_s: float
    cpu_s: float
    peak_memory_mb: int
    size_bytes: int
    started: str  # ISO 8601, UTC
    host: Mapping[str, str]  # kernel, glibc, cpu
    tools: Mapping[str, str]  # builder and its version


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A node's package file in the cache, checked against the digests in its record when it was read."""

    package: str
    version: str
    target: str
    node_hash: Digest
    path: Path  # the `.conda` file
    sha256: Digest  # of the package file
    inventory: Digest  # of the tree inside the package, prefix placeholder in place
    record: BuildRecord


class Builder(Protocol):
    """A backend that turns one node into an artifact; its dependencies' artifacts are given."""

    def build(
        self, lock: Lock, node: Node, target: str, dependencies: tuple[Artifact, ...], sources: Path, workspace: Path
    ) -> Artifact:
        """Return the artifact of `node` on `target`; BuildError if it cannot be built."""
        ...
