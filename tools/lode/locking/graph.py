"""The lock: the fixed graph of nodes of a release on all its targets, and the hash of each node.

A node's hash on a target covers how this version is built and nothing else: build steps, source and patch hashes,
options, the hashes of its dependencies, the target's digest and the builder's format. Tests, licences, summaries,
citations, places to download from and the activation environment are left out: they change nothing that is built.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

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
    option: str | None = None
    define: str | None = None
    value: str | None = None  # the option's value, as the recipe spells it


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
    prepare: str = ""  # shell text that runs first, where the target's compiler is


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A node's dependency on another node, what for, on which targets, and the rule that asked for it.

    There is one edge per package unless kinds or constraints differ between targets.
    """

    package: str
    kinds: tuple[Kind, ...]  # sorted
    targets: tuple[str, ...]  # sorted
    constraint: str  # on the version, as the recipe wrote it, for explanations: ">=3.16"
    options: tuple[tuple[str, str], ...] = ()  # that the recipe asked for, sorted by name


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
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # option to the targets that do not have it


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


BUILDING = frozenset({Kind.BUILD, Kind.LINK, Kind.RUN})  # what must exist before a node is of use; tests come after


def dependencies(node: Node, target: str, kinds: Collection[Kind] = BUILDING) -> tuple[str, ...]:
    """Return the packages that `node` depends on directly on `target` for any of `kinds`, sorted."""
    return tuple(
        sorted(
            {
                edge.package
                for edge in node.edges
                if target in edge.targets and any(kind in kinds for kind in edge.kinds)
            }
        )
    )


def build_order(lock: Lock, target: str) -> tuple[Node, ...]:
    """Return all nodes of `target`, each after what it needs to be built and used; ties by name."""
    nodes = {node.package: node for node in lock.nodes if target in node.targets}
    return tuple(nodes[name] for name in topological({name: dependencies(nodes[name], target) for name in nodes}))


def closure(lock: Lock, packages: Iterable[str], target: str, kinds: Collection[Kind]) -> tuple[Node, ...]:
    """Return the nodes of `packages` and all they reach on `target` over edges of `kinds`, in build order.

    KeyError names a package that the lock does not have on that target.
    """
    nodes = {node.package: node for node in lock.nodes if target in node.targets}
    reached: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(dependencies(nodes[name], target, kinds))
    return tuple(node for node in build_order(lock, target) if node.package in reached)


def topological(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the keys of `edges`, each after the names it maps to, smaller names first where both orders would do.

    Names that are no key are left out. graphlib.CycleError holds a cycle as its second argument.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(edges):
        sorter.add(name, *sorted(needed for needed in edges[name] if needed in edges))
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return tuple(order)


def holes(lock: Lock) -> Iterator[str]:
    """Yield what in `lock` names a node or target that is not there, or stands out of order; nothing in a sound one."""
    there = {node.package: frozenset(node.targets) for node in lock.nodes}
    everywhere = [target.definition.name for target in lock.targets]
    if list(there) != sorted(there) or len(there) != len(lock.nodes):
        yield "the nodes are not sorted by package, each once"
    if everywhere != sorted(set(everywhere)):
        yield "the targets are not sorted by name, each once"
    for node in lock.nodes:
        for target in node.targets:
            if target not in everywhere:
                yield f"{node.package} is on {target}, which is no target of the lock"
        for edge in node.edges:
            lacking = set(edge.targets) - there.get(edge.package, frozenset())
            if lacking:
                yield f"{node.package} needs {edge.package}, which is not there on {', '.join(sorted(lacking))}"
    for name, packages in {"the stack": [text.split()[0] for text in lock.requirements], **lock.groups}.items():
        for package in packages:
            if package not in there:
                yield f"{name} has {package}, which is not there"
