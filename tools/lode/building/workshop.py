"""Building one node from start to end: its right, its dependencies, its sources, its workspace, its place in the cache.

Whatever ends a build, even a kill, leaves at most a workspace behind, and the next run sweeps it.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from lode import scratch
from lode.building.artifact import Artifact, Builder, Order
from lode.building.cache import Cache, writing
from lode.building.history import History
from lode.building.schedule import Outcome
from lode.definitions.target import Target
from lode.digest import Digest
from lode.errors import BuildError
from lode.locking.graph import Node
from lode.progress import Progress
from lode.rendering import environments
from lode.rendering.script import STEP

KEPT = ".lode-kept"  # marks a workspace that a user wanted to keep
_WORKSPACE = re.compile(r".+-([0-9a-f]{64})\Z")
_PERCENT = re.compile(r"^\[ *(\d{1,3})%\]")  # make of CMake
_COUNT = re.compile(r"^\[(\d+)/(\d+)\]")  # ninja


class Workshop:
    """Builds nodes of one target into one cache. Its methods may be called from several threads."""

    def __init__(
        self,
        *,
        nodes: Mapping[str, Node],
        target: Target,
        cache: Cache,
        history: History,
        builder: Builder,
        stage: Callable[[Node, Path], None],
        again: Callable[[str], str],
        keep_work: bool,
        progress: Progress,
    ) -> None:
        """Build `nodes` (all of the lock on `target`, by package) with `builder`.

        `stage` lays out a node's sources in an absent folder; `again` gives the command that repeats a node's build.
        """
        self._nodes = nodes
        self._installed = environments.Installed(target=target.name, nodes=nodes)
        self._target = target
        self._cache = cache
        self._history = history
        self._builder = builder
        self._stage = stage
        self._again = again
        self._keep_work = keep_work
        self._progress = progress
        self._checked: dict[Digest, Artifact] = {}

    def sweep(self) -> None:
        """Remove the workspaces that killed builds left behind, but none of a build that runs now."""
        with contextlib.suppress(OSError):
            for folder in sorted((self._cache.root / "work").iterdir()):
                match = _WORKSPACE.match(folder.name)
                if match is None or (folder / KEPT).exists():
                    continue
                with self._cache.trying(Digest(match[1])) as mine:
                    if mine:
                        scratch.remove(folder)

    def make(self, package: str, jobs: int, cancel: threading.Event) -> tuple[Artifact, Outcome]:
        """Return the node's artifact, and whether it was built here or by somebody else in the meantime."""
        node = self._nodes[package]
        node_hash = node.hashes[self._target.name]
        with self._cache.building(node_hash, package, cancel):
            there = self._cache.get(node_hash)
            if there is not None:
                return there, Outcome.CACHED
            needed = environments.needed(node, self._installed)
            dependencies = tuple(self._dependency(other, jobs, cancel) for other in needed)
            self._progress.start(package, total=100, unit="%")
            outcome = "failed"
            try:
                artifact = self._build(node, dependencies, jobs, cancel)
                outcome = "done"
            finally:
                self._progress.finish(package, outcome)
        self._checked[node_hash] = artifact
        self._history.add(artifact)
        return artifact, Outcome.BUILT

    def _dependency(self, node: Node, jobs: int, cancel: threading.Event) -> Artifact:
        """Return the artifact of a dependency, checked once; one that was damaged in the cache is built again."""
        node_hash = node.hashes[self._target.name]
        artifact = self._checked.get(node_hash) or self._cache.get(node_hash)
        if artifact is None:
            artifact, _ = self.make(node.package, jobs, cancel)
        self._checked[node_hash] = artifact
        return artifact

    def _build(self, node: Node, dependencies: tuple[Artifact, ...], jobs: int, cancel: threading.Event) -> Artifact:
        node_hash = node.hashes[self._target.name]
        workspace = self._cache.root / "work" / f"{node.package}-{node_hash}"
        with writing(self._cache.root):
            try:
                scratch.remove(workspace)
                workspace.mkdir(parents=True)
                if self._keep_work:
                    (workspace / KEPT).touch()
                self._progress.step(node.package, "unpacking")
                self._stage(node, workspace / "source")
                self._progress.step(node.package, "starting")
                artifact = self._builder.build(self._order(node, dependencies, workspace, jobs, cancel))
                self._refuse_wrong(artifact, node)
                return self._cache.put(artifact)
            finally:
                if self._keep_work:
                    self._progress.note(f"{node.package}: its work folder is kept: {workspace}")
                else:
                    scratch.remove(workspace)

    def _order(
        self,
        node: Node,
        dependencies: tuple[Artifact, ...],
        workspace: Path,
        jobs: int,
        cancel: threading.Event,
    ) -> Order:
        short = node.hashes[self._target.name][:16]
        return Order(
            node=node,
            target=self._target,
            nodes=self._nodes,
            dependencies=dependencies,
            workspace=workspace,
            log=self._cache.root / "logs" / f"{node.package}-{short}.log",
            jobs=jobs,
            on_line=Watch(self._progress, node.package).line,
            cancel=cancel,
            again=self._again(node.package),
        )

    def _refuse_wrong(self, artifact: Artifact, node: Node) -> None:
        if artifact.node_hash != node.hashes[self._target.name] or artifact.package != node.package:
            raise BuildError(
                f"the builder {self._builder.name} was asked for {node.package} {node.version} and gave "
                f"{artifact.package} {artifact.version}"
            )


class Watch:
    """Reads from the lines of a log which step a build is at, and how far."""

    def __init__(self, progress: Progress, task: str) -> None:
        """Report to `progress` for `task`, whose total is 100."""
        self._progress = progress
        self._task = task
        self._percent = 0

    def line(self, text: str) -> None:
        """Look at one more line."""
        if text.startswith(STEP):
            self._progress.step(self._task, text.removeprefix(STEP))
            return
        percent = self._percent
        if match := _PERCENT.match(text):
            percent = int(match[1])
        elif match := _COUNT.match(text):
            percent = 100 * int(match[1]) // max(1, int(match[2]))
        if self._percent < percent <= 100:
            self._progress.advance(self._task, percent - self._percent)
            self._percent = percent
