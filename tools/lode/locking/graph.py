"""The lock: the fixed graph of nodes of a release on all its targets, and the hash of each node.

A node's hash on a target covers how this version is built and nothing else: build steps, source and patch hashes,
options, the hashes of its dependencies, the target's digest and the builder's format. Tests, licences, summaries,
citations, places to download from and the activation environment are left out: they change nothing that is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lode.definitions.recipe import Environment, Kind, Origin, System, Upstream
from lode.definitions.stack import Pins, Publish
from lode.definitions.target import Target
from lode.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedSource:
    """One archive, file or tree with its hash and the places that serve it."""

    origins: tuple[Origin, ...]
    sha256: Digest
    size: int | None
    swhid: str | None
    directory: str
    subdirectory: str
    unpack: bool
    filename: str  # the last part of the first origin's name: tells the archive's kind
    targets: tuple[str, ...]  # the targets that need it; all of the node's in most cases


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPatch:
    """A patch with its hash; the file lies in the recipe's folder."""

    file: str
    sha256: Digest
    strip: int
    reason: str
    upstream: str | None
    until: str | None
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedArgument:
    """Words of the configure step, conditions on version and options already decided.

    `option`, `define` and `value` are kept for renderers that translate options themselves; for the builder, `words`
    is complete: a define has become `-DNEST_GDML=ON` and the like.
    """

    words: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedBuild:
    """The build steps of this version with these options (see recipe.Build for what each text means)."""

    system: System
    subdirectory: str
    args: tuple[LockedArgument, ...]
    environment: tuple[tuple[str, str], ...]
    prepare: str
    targets: tuple[str, ...]
    install_targets: tuple[str, ...]
    script: str
    finish: str
    in_source: bool
    jobs: int | None
    memory_mb: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTest:
    """A test of a node or of the stack; `files` holds every file it uses with its hash, sorted by path."""

    __test__ = False

    name: str
    run: str
    compile: str
    python: str
    libraries: tuple[str, ...]
    flags: tuple[str, ...]
    files: tuple[tuple[str, Digest], ...]
    numbers: str | None
    tolerance: str
    timeout_s: int
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A node's dependency on another node, what for, on which targets, and the rule that asked for it."""

    package: str
    kinds: tuple[Kind, ...]  # sorted
    targets: tuple[str, ...]  # sorted
    constraint: str  # as the recipe wrote it, for explanations: ">=3.16"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalEdge:
    """A node's build dependency that the target's OS meets."""

    package: str
    targets: tuple[str, ...]
    constraint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One package at one version with its options, sources, steps, edges, and its hash on each target."""

    package: str
    version: str
    summary: str
    homepage: str
    license: str
    redistributable: bool
    cite: tuple[str, ...]
    tags: tuple[str, ...]
    options: Mapping[str, str]
    languages: tuple[str, ...]
    sources: tuple[LockedSource, ...]
    patches: tuple[LockedPatch, ...]
    build: LockedBuild
    edges: tuple[Edge, ...]  # sorted by package
    externals: tuple[ExternalEdge, ...]  # sorted by package
    environment: Environment
    tests: tuple[LockedTest, ...]
    system_libraries: tuple[str, ...]
    upstream: Upstream
    provider: str  # "lode", or "upstream" when the stack delegates it
    prebuilt: bool  # nobody compiled it: a wheel
    targets: tuple[str, ...]  # the targets that need it, sorted
    reasons: tuple[str, ...]  # what asked for it: "stack: nest >=2.4", "hdf5: zlib", sorted
    recipe: Digest  # of the recipe's canonical document: tells that a recipe changed since
    hashes: Mapping[str, Digest]  # target name to node hash


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTarget:
    """A target as it was when locked, and the digest of all that decides what a build on it yields."""

    definition: Target
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """The lock that this one extends."""

    stack: str
    release: str
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A release of a stack, fixed on all its targets. `digest` covers everything else in it."""

    schema: int
    stack: str
    release: str
    date: str
    summary: str
    collections: tuple[tuple[str, str], ...]  # name and version, the experiment's first
    extends: Extended | None
    tools: Mapping[str, str]  # "lode-format", "rattler" (solver), "rattler-build" (builder) to version
    pins: Pins
    publish: Publish
    requirements: tuple[str, ...]  # in their written form, sorted
    groups: Mapping[str, tuple[str, ...]]
    targets: tuple[LockedTarget, ...]  # sorted by name
    nodes: tuple[Node, ...]  # sorted by package
    tests: tuple[LockedTest, ...]  # the stack's own
    digest: Digest

    def node(self, package: str) -> Node:
        """Return the node of `package`; KeyError if the lock has none."""
        for node in self.nodes:
            if node.package == package:
                return node
        raise KeyError(package)

    def target(self, name: str) -> LockedTarget:
        """Return the target called `name`; KeyError if the lock has none."""
        for target in self.targets:
            if target.definition.name == name:
                return target
        raise KeyError(name)

    def final_path(self, target: str) -> str:
        """Return the absolute path at which the release's tree for `target` is used, in images and CVMFS alike."""
        return f"/cvmfs/{self.publish.cvmfs}/{self.stack}/{self.release}/{target}"
