"""Which node is built when, and with how many jobs: independent nodes in parallel under one budget.

Of the nodes that could start, the one with the longest way to the end goes first. The shares of all running nodes
together are no more than the budget. A build is told its jobs once, when it starts, and cannot be given more later:
so each may use more than its share, the most important first, and all together up to twice the budget, which keeps the
processors busy while another node unpacks or links and once it has ended (decision 0005). Memory is counted for all
jobs. A node that is done is in the cache, so a schedule that was stopped, in whatever way, goes on where it was.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from lode.building.artifact import Artifact
from lode.errors import BuildError, Fault, LodeError
from lode.process import Cancelled
from lode.progress import Progress

MEMORY_MB = 512  # of one job, when a recipe does not say
_LOOK_S = 0.5


class Outcome(StrEnum):
    """What became of a node."""

    CACHED = "cached"
    BUILT = "built"
    FAILED = "failed"
    SKIPPED = "skipped"  # it needs one that failed, or the build was stopped before


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A node that is to be built: what it waits for, how long it will take, what it may use."""

    package: str
    needs: tuple[str, ...]  # other tasks
    estimate_s: float  # of CPU time
    memory_mb: int = MEMORY_MB  # of one job
    jobs: int | None = None  # a limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a node, and the artifact if there is one."""

    package: str
    outcome: Outcome
    artifact: Artifact | None = None
    wall_s: float = 0.0
    error: LodeError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What all running builds may use together."""

    jobs: int
    memory_mb: int | None = None  # None: unknown, not looked at
    wall_s: float | None = None  # after which nothing is started; None: no limit


Build = Callable[[str, int, threading.Event], tuple[Artifact, Outcome]]  # package, jobs, cancel


def run(
    tasks: Sequence[Task], build: Build, *, budget: Budget, keep_going: bool, progress: Progress, title: str
) -> tuple[Result, ...]:
    """Return what became of each task, in the order given.

    When the budget's time is over, or too short for what is left, nothing new is started and the rest is SKIPPED. After
    a failure nothing new is started (unless `keep_going`: then only what needs the failed node is left out), and
    what runs is waited for, so that it need not be built again. An interruption stops all and is raised again.
    """
    return _Run(tasks, build, budget, keep_going=keep_going, progress=progress, title=title).results()


def weights(tasks: Iterable[Task]) -> Mapping[str, float]:
    """Return for each task the CPU seconds of the longest way from its start to the end of all that wait for it."""
    known = {task.package: task for task in tasks}
    waiting: dict[str, list[str]] = {name: [] for name in known}
    for task in known.values():
        for needed in task.needs:
            if needed in waiting:
                waiting[needed].append(task.package)
    weight: dict[str, float] = {}
    stack = list(known)
    while stack:
        name = stack[-1]
        missing = [dependent for dependent in waiting[name] if dependent not in weight]
        if missing and name not in weight:
            stack += missing
            continue
        stack.pop()
        weight[name] = known[name].estimate_s + max((weight[dependent] for dependent in waiting[name]), default=0.0)
    return weight


class Free(NamedTuple):
    """What the running nodes leave to those that could start."""

    budget: int  # jobs of all together
    jobs: int  # of the budget, not yet anybody's share
    spare: int  # beyond the shares: as many again as the budget has, less what running nodes use of them
    memory_mb: int | None
    idle: bool  # nothing runs


class Start(NamedTuple):
    """A task to start now: the jobs that its build may use, and how many of them count against the budget."""

    task: Task
    jobs: int
    share: int


def next_starts(ready: Sequence[Task], free: Free) -> list[Start]:
    """Return the tasks to start now and the jobs of each, for `ready` in order of importance.

    The free jobs are shared evenly among as many tasks as there are jobs. On top of its share a task may use what is
    spare, the most important one first and none more than the whole budget. A task whose single job does not fit into
    memory waits, unless nothing is running: then it must be tried.
    """
    free_jobs, spare, free_memory_mb = free.jobs, free.spare, free.memory_mb
    shares: list[tuple[Task, int]] = []
    candidates = list(ready)
    while candidates and free_jobs > 0:
        task = candidates.pop(0)
        share = -(-free_jobs // min(free_jobs, len(candidates) + 1))
        if task.jobs is not None:
            share = min(share, task.jobs)
        if free_memory_mb is not None:
            fitting = free_memory_mb // max(1, task.memory_mb)
            if fitting < 1 and (shares or not free.idle):
                continue
            share = max(1, min(share, fitting))
            free_memory_mb -= share * task.memory_mb
        shares.append((task, share))
        free_jobs -= share
    starts: list[Start] = []
    for task, share in shares:
        more = min(spare, min(free.budget, task.jobs or free.budget) - share)
        if free_memory_mb is not None:
            more = max(0, min(more, free_memory_mb // max(1, task.memory_mb)))
            free_memory_mb -= more * task.memory_mb
        spare -= more
        starts.append(Start(task=task, jobs=share + more, share=share))
    return starts


class _Run:
    """One run of a schedule. All state is touched by the thread that calls `results` alone."""

    def __init__(
        self, tasks: Sequence[Task], build: Build, budget: Budget, *, keep_going: bool, progress: Progress, title: str
    ) -> None:
        self._tasks = tasks
        self._build = build
        self._budget = budget
        self._keep_going = keep_going
        self._progress = progress
        self._title = title
        self._weights = weights(tasks)
        self._waiting = {task.package: task for task in tasks}
        self._running: dict[str, Start] = {}
        self._done: dict[str, Result] = {}
        self._ended: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
        self._cancel = threading.Event()
        self._began = time.monotonic()
        self._threads: list[threading.Thread] = []

    def results(self) -> tuple[Result, ...]:
        total_s = sum(task.estimate_s for task in self._tasks)
        self._progress.start(self._title, total=total_s, unit="s of work")
        outcome = "failed"
        try:
            self._start_ready()
            while self._running:
                self._take(self._next_ended())
                self._start_ready()
            if all(result.error is None for result in self._done.values()):
                outcome = "done"
        except BaseException:
            self._cancel.set()
            for thread in self._threads:
                thread.join()
            outcome = "stopped"
            raise
        finally:
            self._progress.finish(self._title, outcome)
        skipped = {name: Result(package=name, outcome=Outcome.SKIPPED) for name in self._waiting}
        results = {**skipped, **self._done}
        return tuple(results[task.package] for task in self._tasks)

    def _next_ended(self) -> Result:
        while True:  # with a timeout, or a signal would wait for the next build to end
            try:
                ended = self._ended.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if isinstance(ended, BaseException):
                raise ended
            return ended

    def _start_ready(self) -> None:
        failed = {name for name, result in self._done.items() if result.error is not None}
        if failed and not self._keep_going:
            return
        built = self._done.keys() - failed
        ready = [task for task in self._waiting.values() if built.issuperset(task.needs) and self._in_time(task)]
        ready.sort(key=lambda task: (-self._weights[task.package], task.package))
        for start in next_starts(ready, self._free()):
            task = start.task
            del self._waiting[task.package]
            self._running[task.package] = start
            thread = threading.Thread(target=self._one, args=(task, start.jobs), name=f"build {task.package}")
            self._threads.append(thread)
            thread.start()
            self._tell()

    def _free(self) -> Free:
        """Return what the running nodes leave to those that could start."""
        running, memory_mb = self._running.values(), self._budget.memory_mb
        if memory_mb is not None:
            memory_mb -= sum(start.jobs * start.task.memory_mb for start in running)
        return Free(
            budget=self._budget.jobs,
            jobs=self._budget.jobs - sum(start.share for start in running),
            spare=self._budget.jobs - sum(start.jobs - start.share for start in running),
            memory_mb=memory_mb,
            idle=not running,
        )

    def _in_time(self, task: Task) -> bool:
        """Return whether `task` will end before the budget's time does; the first of a run is always tried."""
        if self._budget.wall_s is None or not (self._running or self._done):
            return True
        left_s = self._budget.wall_s - (time.monotonic() - self._began)
        return task.estimate_s / max(1, min(self._budget.jobs, task.jobs or self._budget.jobs)) < left_s

    def _one(self, task: Task, jobs: int) -> None:
        started = time.monotonic()
        try:
            artifact, outcome = self._build(task.package, jobs, self._cancel)
            result = Result(package=task.package, outcome=outcome, artifact=artifact, wall_s=time.monotonic() - started)
        except LodeError as error:
            wall_s = time.monotonic() - started
            result = Result(package=task.package, outcome=Outcome.FAILED, wall_s=wall_s, error=error)
        except Cancelled:
            return
        except BaseException as error:  # a bug: it must reach the main thread
            self._ended.put(error)
            return
        self._ended.put(result)

    def _take(self, result: Result) -> None:
        task = self._running.pop(result.package).task
        self._done[result.package] = result
        self._tell()
        self._progress.advance(self._title, task.estimate_s)
        if result.error is not None and self._running and not self._keep_going:
            others = ", ".join(sorted(self._running))
            self._progress.note(f"{result.package} failed; waiting for {others} (Ctrl-C stops them)")

    def _tell(self) -> None:
        self._progress.step(self._title, f"{len(self._done)} of {len(self._tasks)} nodes")


def refuse_failed(results: Iterable[Result]) -> None:
    """Raise BuildError with the faults of all failed nodes, and the names of those left out for them, if any failed."""
    results = tuple(results)
    faults = [fault for result in results if result.error is not None for fault in result.error.faults]
    if not faults:
        return
    errors = [result.error for result in results if result.error is not None]
    skipped = sorted(result.package for result in results if result.outcome is Outcome.SKIPPED)
    if skipped:
        faults.append(Fault(message=f"not built after that: {', '.join(skipped)}", warning=True))
    kind = type(errors[0]) if len({type(error) for error in errors}) == 1 else BuildError
    raise kind.of(faults)
