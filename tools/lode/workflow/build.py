"""From a lock to the artifacts of all its nodes on one target: fetched, built or taken from the cache."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lode.building.artifact import Artifact, Builder
from lode.building.cache import Cache, Store
from lode.building.schedule import MEMORY_MB, Budget, Outcome, Result, Task, refuse_failed, run
from lode.config import Places
from lode.definitions.catalogue import Catalogue
from lode.definitions.trust import TrustPolicy
from lode.errors import BuildError, Fault, HostError, Unfinished, UsageError
from lode.locking.graph import BUILDING, Lock, Node, build_order, closure
from lode.progress import Progress
from lode.sourcing.access import Access

if TYPE_CHECKING:
    from lode.building.history import History
    from lode.building.seal import Seal
    from lode.building.workshop import Workshop

_CONNECTIONS = 8  # to a store at once

BUILDERS = ("rattler", "spack")  # see `_builder`, and `workflow.spack` for what builds a stack as a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to build: what a user may choose. None of it enters a hash."""

    jobs: int  # of all builds together
    only: tuple[str, ...] = ()  # packages, with what they need; none: all
    keep_going: bool = False
    keep_work: bool = False
    offline: bool = False
    builder: str = "rattler"
    seal: str = "auto"  # one of `seals.ASKED`
    access: Access | None = None  # where sources are asked for; None: where they say
    store: Store | None = None  # artifacts shared with other machines, behind the cache of this one
    store_policy: TrustPolicy | None = None  # who must have signed the store's index; None: the store is believed
    store_built: Path | None = None  # folder in which a run's jobs list what they built: believed besides that index
    limit_s: float | None = None  # wall time after which no further node is started


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What became of every node that was asked for, in build order."""

    stack: str
    release: str
    target: str
    results: tuple[Result, ...]
    seal: str  # of this run; "" when nothing had to be built
    seal_reason: str
    wall_s: float

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Return the artifacts in build order."""
        return tuple(result.artifact for result in self.results if result.artifact is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where a build runs, and how."""

    catalogue: Catalogue
    cache: Cache
    places: Places
    plan: Plan
    environ: Mapping[str, str]
    progress: Progress
    seal: Seal


def build(
    lock: Lock,
    catalogue: Catalogue,
    target: str,
    *,
    places: Places,
    plan: Plan,
    environ: Mapping[str, str],
    progress: Progress,
) -> BuildReport:
    """Return the artifacts of the lock's nodes on `target`.

    Only what is missing in the cache is fetched and built. HostError if this machine is not what the target says;
    SourceError if a source cannot be had; BuildError with the faults of all nodes that failed; Unfinished when the
    plan's time was over first.
    """
    started = time.monotonic()
    catalogue = catalogue.behind(lock.stack, lock.release)
    wanted = _wanted(lock, target, plan.only)
    store = _believed(lock, plan, places, progress)
    cache = Cache(places.cache, behind=store, note=progress.note)
    there = {node.package: cache.peek(node.hashes[target]) for node in wanted}
    if store is not None:
        there |= _shared(cache, wanted, there, target, progress)
    missing = [node for node in wanted if there[node.package] is None]
    results = {
        name: Result(package=name, outcome=Outcome.CACHED, artifact=artifact)
        for name, artifact in there.items()
        if artifact is not None
    }
    seal = ("", "")
    if missing:
        from lode.workflow import seals

        where = seals.Site(cache=places.cache, environ=environ)
        chosen = seals.choose(lock.target(target).definition, "builder", plan.seal, where)
        seal = (chosen.kind, chosen.reason)
        if chosen.kind == "none":
            progress.note(f"warning: builds are not sealed: {chosen.reason}")
        site = _Site(
            catalogue=catalogue,
            cache=cache,
            places=places,
            plan=plan,
            environ=environ,
            progress=progress,
            seal=chosen,
        )
        for result in _build_missing(lock, target, missing, site):
            results[result.package] = result
        refuse_failed(results[node.package] for node in wanted)
    _refuse_unshared(cache)
    if missing:
        _refuse_unfinished(results[node.package] for node in wanted)
    return BuildReport(
        stack=lock.stack,
        release=lock.release,
        target=target,
        results=tuple(results[node.package] for node in wanted),
        seal=seal[0],
        seal_reason=seal[1],
        wall_s=time.monotonic() - started,
    )


def _shared(
    cache: Cache, nodes: Sequence[Node], there: Mapping[str, Artifact | None], target: str, progress: Progress
) -> dict[str, Artifact | None]:
    """Return the artifacts of `nodes`: those `there`, given to the store behind the cache, and those that it had."""
    from concurrent.futures import ThreadPoolExecutor

    task = "shared cache"
    progress.start(task, total=len(nodes), unit="nodes")

    def one(node: Node) -> tuple[str, Artifact | None]:
        artifact = there[node.package]
        if artifact is None:
            artifact = cache.get(node.hashes[target])
        else:
            cache.share(artifact)
        progress.advance(task, 1)
        return node.package, artifact

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        found = dict(pool.map(one, nodes))
    taken = sum(there[name] is None and artifact is not None for name, artifact in found.items())
    progress.finish(task, f"{taken} nodes taken")
    return found


def _refuse_unshared(cache: Cache) -> None:
    """Raise HostError when something was built that the store did not take: the next machine would build it again."""
    if cache.unkept:
        raise HostError(
            f"built, but not shared: {', '.join(sorted(cache.unkept))}",
            hint=f"it is in the cache here ({cache.root}); when the store answers, `lode build` with --store gives it",
        )


def _refuse_unfinished(results: Iterable[Result]) -> None:
    left = [result.package for result in results if result.outcome is Outcome.SKIPPED]
    if left:
        raise Unfinished(
            f"the time is over: {len(left)} node{'' if len(left) == 1 else 's'} left to build ({', '.join(left)})",
            hint="what was built is kept; the same command goes on from here",
        )


def choose_target(lock: Lock, asked: str | None) -> str:
    """Return the target to build for: the one asked for, else the one that this machine is.

    UsageError if the lock is not for it, or for nothing like this machine.
    """
    names = [target.definition.name for target in lock.targets]
    if asked is not None:
        if asked not in names:
            raise UsageError(f"{lock.stack}@{lock.release} is not for {asked}", hint=f"its targets: {', '.join(names)}")
        return asked
    from lode.workflow import host

    fitting = host.fitting([target.definition for target in lock.targets], host.this_os())
    if fitting is None:
        raise UsageError(
            f"{lock.stack}@{lock.release} has no target for this machine ({' '.join(host.this_os())})",
            hint=f"its targets: {', '.join(names)}; build on one of these, or in its container",
        )
    return fitting.name


def _believed(lock: Lock, plan: Plan, places: Places, progress: Progress) -> Store | None:
    """Return the plan's store, as far as it is to be believed."""
    if plan.store is None or plan.store_policy is None:
        return plan.store
    from lode.workflow.store_index import SEEN, vouched

    today = datetime.datetime.now(datetime.UTC).date()
    return vouched(
        plan.store,
        lock,
        plan.store_policy,
        seen=places.cache / SEEN,
        today=today,
        note=progress.note,
        built=plan.store_built,
    )


def _wanted(lock: Lock, target: str, only: Sequence[str]) -> tuple[Node, ...]:
    known = {node.package for node in lock.nodes if target in node.targets}
    for name in only:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else None
            raise UsageError(f"{lock.stack}@{lock.release} has no package {name} on {target}", hint=hint)
    nodes = closure(lock, only, target, BUILDING) if only else build_order(lock, target)
    foreign = [node.package for node in nodes if node.provider != "lode"]
    if foreign:
        raise BuildError.of(
            [
                Fault(
                    message=f"{name} is left to another ecosystem (`upstream` in the stack) and cannot be built here",
                    hint="render the stack and build it there, or take the package out of `upstream`",
                )
                for name in foreign
            ]
        )
    return nodes


def _build_missing(lock: Lock, target: str, missing: Sequence[Node], site: _Site) -> tuple[Result, ...]:
    """Return what became of the `missing` nodes, once their sources are there."""
    from lode.building.history import History
    from lode.sourcing.fetch import fetch
    from lode.sourcing.mirror import Mirror
    from lode.workflow import host

    places, plan = site.places, site.plan
    fetch(
        lock,
        Mirror(places.mirror),
        targets=(target,),
        packages=[node.package for node in missing],
        recipe_file=site.catalogue.recipe_file,
        progress=site.progress,
        offline=plan.offline,
        access=plan.access,
    )
    history = History(places.cache / "times.jsonl")
    workshop = _workshop(lock, target, history, site)
    workshop.sweep()
    memory_mb = host.look(None, cache=places.cache, environ=site.environ).memory_mb
    return run(
        _tasks(lock, target, missing, history),
        workshop.make,
        budget=Budget(jobs=plan.jobs, memory_mb=memory_mb, wall_s=plan.limit_s),
        keep_going=plan.keep_going,
        progress=site.progress,
        title=f"build {lock.stack}@{lock.release}",
    )


def _workshop(lock: Lock, target: str, history: History, site: _Site) -> Workshop:
    from lode.building.workshop import Workshop
    from lode.sourcing.mirror import Mirror
    from lode.sourcing.stage import stage

    catalogue = site.catalogue
    mirror = Mirror(site.places.mirror)

    def lay_out(node: Node, folder: Path) -> None:
        stage(
            node,
            target,
            mirror,
            file=lambda package, relative: catalogue.recipe_file(package, relative).read_bytes(),
            recipe_file=catalogue.recipe_file,
            destination=folder,
        )

    return Workshop(
        nodes=_nodes(lock, target),
        target=lock.target(target).definition,
        cache=site.cache,
        history=history,
        builder=_builder(site.plan, site.seal),
        stage=lay_out,
        again=lambda name: f"lode build {lock.stack}@{lock.release} --target {target} --only {name} --keep-work",
        keep_work=site.plan.keep_work,
        progress=site.progress,
    )


def _tasks(lock: Lock, target: str, missing: Sequence[Node], history: History) -> tuple[Task, ...]:
    from lode.building.history import estimate
    from lode.rendering.environments import Installed, needed

    nodes, times = _nodes(lock, target), history.times()
    installed = Installed(target=target, nodes=nodes)
    names = {node.package for node in missing}
    return tuple(
        Task(
            package=node.package,
            needs=tuple(other.package for other in needed(node, installed) if other.package in names),
            estimate_s=estimate(node, target, times),
            memory_mb=node.build.memory_mb or MEMORY_MB,
            jobs=node.build.jobs,
        )
        for node in missing
    )


def _nodes(lock: Lock, target: str) -> dict[str, Node]:
    return {node.package: node for node in lock.nodes if target in node.targets}


def _builder(plan: Plan, seal: Seal) -> Builder:
    from lode.building.rattler import Rattler

    match plan.builder:
        case "rattler":
            return Rattler(seal=seal, keep=plan.keep_work)
        case _:
            raise UsageError(f"{plan.builder!r} builds no single nodes", hint=f"builders: {', '.join(BUILDERS)}")
