"""What a node's build leaves behind, the record of how it came to be, and what a builder is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lode.definitions.target import Target
from lode.digest import Digest
from lode.locking.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecord:
    """How an artifact was made. Nothing in it enters a hash: two honest builds differ here and nowhere else."""

    seal: str  # "bubblewrap", "docker", "none"
    seal_reason: str  # why no better seal held; empty when sealed
    wall_s: float
    cpu_s: float
    peak_memory_mb: int  # of the largest process
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
    index: Mapping[str, Any] = field(default_factory=dict)  # the package's info/index.json: name, build, depends, …


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One node to be built: everything that a builder needs to know, laid out on disk where it is a tree."""

    node: Node
    target: Target
    nodes: Mapping[str, Node]  # every node of the lock on the target, by package
    dependencies: tuple[Artifact, ...]  # all that the build needs, in build order, transitively
    workspace: Path  # a folder of this build alone; the staged source tree lies in it at `source`
    log: Path  # what the build says is put here, whatever the outcome
    jobs: int  # how many compilers may run at once
    on_line: Callable[[str], None]  # called with each line of the log, from another thread
    cancel: threading.Event  # set when the build is to stop
    again: str  # the command that repeats this build, for messages


class Builder(Protocol):
    """A backend that turns one node into an artifact; its dependencies' artifacts are given."""

    @property
    def name(self) -> str:
        """Return what the builder is called in commands and records."""
        ...

    def build(self, order: Order) -> Artifact:
        """Return the artifact, its package file below the workspace; BuildError if it cannot be built."""
        ...
