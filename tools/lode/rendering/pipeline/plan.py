"""From a lock to jobs: the nodes of each target in shards that fit a limit, then the gates behind them.

A shard is a run of consecutive nodes in one order of building, so the shards of a target can never wait for each other
in a circle. The order keeps what belongs together side by side: each package right after what only it needs, so that
shards that have nothing to do with each other run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lode.errors import Fault, UsageError
from lode.locking.graph import Lock, Node, dependencies
from lode.rendering.pipeline import Job, Limits, Pipeline, Stage

START_MINUTES = 2.0  # of a job before its first node: a machine, Lode, what earlier jobs built
_MEMORY_MB = 512  # of one compiler, when a recipe does not say; see building.schedule.MEMORY_MB
_CHECK_MINUTES, _TEST_MINUTES, _PUBLISH_MINUTES = 5.0, 30.0, 30.0
BUILT = "lode-built"  # folder of a run's lists of what it has built, see `building.vouched`
_DISK_MB = 2000  # of Lode itself and a small prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What building one node takes."""

    cpu_s: float
    disk_mb: int  # of its work folder and artifact
    guessed: bool = False  # from the size of its sources, not from a build


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shard:
    nodes: tuple[Node, ...]
    minutes: float
    disk_mb: int


def plan(
    lock: Lock,
    estimate: Callable[[Node, str], Estimate],
    *,
    limits: Limits,
    targets: Sequence[str] = (),
    policy: str | None = None,
) -> Pipeline:
    """Return the jobs of `lock` on `targets` (all when none is named), each within `limits` by the estimates.

    With `policy`, the path of a trust policy in the repository, they take from the store what the policy accepts, and
    what jobs before them have built.

    UsageError names every node that does not fit into a job by itself, or a target that the lock does not have.
    """
    names = tuple(target.definition.name for target in lock.targets)
    for name in targets:
        if name not in names:
            raise UsageError(f"{lock.stack}@{lock.release} has no target {name!r}", hint=f"it has: {', '.join(names)}")
    reference = f"{lock.stack}@{lock.release}"
    check = Job(
        name="check",
        stage=Stage.CHECK,
        target=None,
        needs=(),
        commands=(("lode", "check"), ("lode", "lock", reference, "--check")),
        minutes=_CHECK_MINUTES,
        memory_mb=2000,
        disk_mb=_DISK_MB,
    )
    jobs, guessed = [check], set[str]()
    for target in targets or names:
        estimates = {node.package: estimate(node, target) for node in lock.nodes if target in node.targets}
        guessed |= {name for name, one in estimates.items() if one.guessed}
        shards = _shards(lock, target, estimates, limits)
        builds = _build_jobs(lock, target, shards, limits)
        jobs += [*builds, _test_job(lock, target, builds, shards, limits)]
    tests = tuple(job.name for job in jobs if job.stage is Stage.TEST)
    jobs.append(_publish_job(lock, tests, targets or names, limits))
    if policy is not None:
        jobs = [_governed(job, policy) for job in jobs]
    return Pipeline(
        stack=lock.stack,
        release=lock.release,
        lock_digest=lock.digest,
        limits=limits,
        jobs=tuple(jobs),
        guessed=tuple(sorted(guessed)),
    )


def order(lock: Lock, target: str) -> tuple[Node, ...]:
    """Return the nodes of `target`, each after what it needs and near to it: the closure of one root after another."""
    nodes = {node.package: node for node in lock.nodes if target in node.targets}
    needed = {name: dependencies(node, target) for name, node in nodes.items()}
    used = {other for others in needed.values() for other in others}
    done: dict[str, None] = {}
    for root in sorted(nodes, key=lambda name: (name in used, name)):
        stack = [(root, iter(needed[root]))]
        while stack:
            name, rest = stack[-1]
            following = next((other for other in rest if other not in done), None)
            if following is None:
                done.setdefault(name)
                stack.pop()
            else:
                stack.append((following, iter(needed[following])))
    return tuple(nodes[name] for name in done)


def _shards(lock: Lock, target: str, estimates: Mapping[str, Estimate], limits: Limits) -> tuple[_Shard, ...]:
    shards: list[_Shard] = []
    faults: list[Fault] = []
    current: list[Node] = []
    for node in order(lock, target):
        if reason := _too_large(_shard([node], target, estimates, limits), limits):
            message = f"{node.package} {node.version} on {target} {reason}"
            faults.append(Fault(message=message, hint="raise the limit; a node cannot be cut in two"))
            continue
        longer = _shard([*current, node], target, estimates, limits)
        if current and _too_large(longer, limits):
            shards.append(_shard(current, target, estimates, limits))
            current = []
        current.append(node)
    if faults:
        raise UsageError.of(faults)
    return (*shards, _shard(current, target, estimates, limits)) if current else tuple(shards)


def _shard(nodes: Sequence[Node], target: str, estimates: Mapping[str, Estimate], limits: Limits) -> _Shard:
    """Return `nodes` as one shard: its time is that of its CPU seconds on all cores, or of its longest chain."""
    chain: dict[str, float] = {}
    for node in nodes:
        before = max((chain.get(name, 0.0) for name in dependencies(node, target)), default=0.0)
        cores = min(limits.cores, node.build.jobs or limits.cores)
        chain[node.package] = before + estimates[node.package].cpu_s / cores
    total_s = sum(estimates[node.package].cpu_s for node in nodes) / limits.cores
    return _Shard(
        nodes=tuple(nodes),
        minutes=START_MINUTES + max(total_s, *chain.values()) / 60,
        disk_mb=_DISK_MB + sum(estimates[node.package].disk_mb for node in nodes),
    )


def _too_large(shard: _Shard, limits: Limits) -> str | None:
    if shard.minutes > limits.minutes:
        return f"takes {shard.minutes:.0f} minutes by itself, of {limits.minutes:g} that a job has"
    if shard.disk_mb > limits.disk_mb:
        return f"needs {shard.disk_mb / 1000:.1f} GB by itself, of {limits.disk_mb / 1000:g} that a job has"
    return None


def _build_jobs(lock: Lock, target: str, shards: Sequence[_Shard], limits: Limits) -> list[Job]:
    names = [f"build-{target}-{number:02}" for number in range(1, len(shards) + 1)]
    home = {node.package: name for name, shard in zip(names, shards, strict=True) for node in shard.nodes}
    jobs = []
    for name, shard in zip(names, shards, strict=True):
        others = {home[needed] for node in shard.nodes for needed in dependencies(node, target)} - {name}
        packages = tuple(node.package for node in shard.nodes)
        only = tuple(word for package in packages for word in ("--only", package))
        memory = max((node.build.memory_mb or _MEMORY_MB) for node in shard.nodes) * limits.cores
        reference = f"{lock.stack}@{lock.release}"
        limit = ("-j", str(limits.cores), "--max-minutes", f"{limits.minutes:g}")
        jobs.append(
            Job(
                name=name,
                stage=Stage.BUILD,
                target=target,
                needs=tuple(sorted(others)) or ("check",),
                commands=(("lode", "build", reference, "--target", target, *limit, *only),),
                minutes=shard.minutes,
                memory_mb=max(2000, memory),
                disk_mb=shard.disk_mb,
                packages=packages,
            )
        )
    return jobs


def _test_job(lock: Lock, target: str, builds: Sequence[Job], shards: Sequence[_Shard], limits: Limits) -> Job:
    """Return the job that installs and tests the release of a target, and keeps its reports."""
    folder = f"release/{target}"
    words = ("lode", "release", f"{lock.stack}@{lock.release}", "--target", target, "-j", str(limits.cores))
    return Job(
        name=f"test-{target}",
        stage=Stage.TEST,
        target=target,
        needs=tuple(job.name for job in builds) or ("check",),
        commands=((*words, "-o", folder),),
        minutes=min(limits.minutes, START_MINUTES + _TEST_MINUTES),
        memory_mb=4000,
        disk_mb=min(limits.disk_mb, _DISK_MB + sum(shard.disk_mb for shard in shards)),
        keeps=(
            f"{folder}/*.html",
            f"{folder}/index.json",
            f"{folder}/*.lock",
            f"{folder}/{target}/*.json",
            f"{folder}/{target}/*.xml",
        ),
    )


def _publish_job(lock: Lock, tests: tuple[str, ...], targets: Sequence[str], limits: Limits) -> Job:
    """Return the job that lays the release down again, from what the store has, signs for that, and publishes it."""
    reference = f"{lock.stack}@{lock.release}"
    only = tuple(word for target in targets for word in ("--target", target))
    return Job(
        name="publish",
        stage=Stage.PUBLISH,
        target=None,
        needs=tuple(sorted(tests)),
        commands=(
            ("lode", "release", reference, *only, "-j", str(limits.cores)),
            ("lode", "store", "sign", reference),
            ("lode", "publish", reference, *only),
        ),
        minutes=min(limits.minutes, START_MINUTES + _TEST_MINUTES + _PUBLISH_MINUTES),
        memory_mb=4000,
        disk_mb=limits.disk_mb,
        trusted=True,
    )


def _governed(job: Job, policy: str) -> Job:
    """Return the job with its commands that read the store told what to believe of it."""
    if job.stage is Stage.CHECK:
        return job
    words = ("--store-policy", policy, "--store-built", BUILT)
    commands = tuple((*line, *words) if line[1] in ("build", "release") else line for line in job.commands)
    return replace(job, commands=commands, hands=BUILT)
