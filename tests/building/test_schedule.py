from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.building.factory import artifact, graph, node

from lode.building import schedule
from lode.building.artifact import Artifact
from lode.building.schedule import Budget, Free, Outcome, Result, Task, next_starts, refuse_failed, weights
from lode.errors import BuildError, Fault, HostError, LodeError, SourceError
from lode.process import Cancelled
from lode.progress import Silent


def task(package: str, *needs: str, estimate_s: float = 1.0, memory_mb: int = 100, jobs: int | None = None) -> Task:
    return Task(package=package, needs=needs, estimate_s=estimate_s, memory_mb=memory_mb, jobs=jobs)


class Recorder:
    """A build that takes a moment, notes what ran together, and fails where it is told to."""

    def __init__(self, folder: Path, *, fail: dict[str, LodeError] | None = None) -> None:
        self.folder = folder
        self.fail = fail or {}
        self.started: list[str] = []
        self.jobs: dict[str, int] = {}
        self.most_jobs = 0
        self.most_together = 0
        self.running: dict[str, int] = {}
        self.lock = threading.Lock()

    def __call__(self, package: str, jobs: int, cancel: threading.Event) -> tuple[Artifact, Outcome]:
        with self.lock:
            self.started.append(package)
            self.jobs[package] = jobs
            self.running[package] = jobs
            self.most_jobs = max(self.most_jobs, sum(self.running.values()))
            self.most_together = max(self.most_together, len(self.running))
        time.sleep(0.01)
        with self.lock:
            del self.running[package]
        if package in self.fail:
            raise self.fail[package]
        return artifact(graph(node(package))[package], self.folder / package), Outcome.BUILT


def run(tasks: list[Task], build: schedule.Build, *, jobs: int = 1, keep_going: bool = False) -> dict[str, Outcome]:
    results = schedule.run(
        tasks, build, budget=Budget(jobs=jobs), keep_going=keep_going, progress=Silent(), title="build"
    )
    return {result.package: result.outcome for result in results}


def test_the_longest_way_to_the_end_goes_first(tmp_path: Path) -> None:
    build = Recorder(tmp_path)
    tasks = [
        task("short", estimate_s=5),
        task("root", estimate_s=1),
        task("end", "root", estimate_s=10),
        task("last", estimate_s=5),
    ]
    assert run(tasks, build) == dict.fromkeys(["short", "root", "end", "last"], Outcome.BUILT)
    assert build.started == ["root", "end", "last", "short"]


def test_weights_are_the_longest_ways() -> None:
    tasks = [task("a", estimate_s=1), task("b", "a", estimate_s=2), task("c", "a", estimate_s=5), task("d", "b", "c")]
    assert weights(tasks) == {"a": 7, "b": 3, "c": 6, "d": 1}


def started(
    ready: list[Task],
    *,
    budget: int,
    jobs: int | None = None,
    spare: int = 0,
    memory_mb: int | None = None,
    idle: bool = True,
) -> list[tuple[str, int, int]]:
    free = Free(budget=budget, jobs=budget if jobs is None else jobs, spare=spare, memory_mb=memory_mb, idle=idle)
    return [(start.task.package, start.jobs, start.share) for start in next_starts(ready, free)]


def test_free_jobs_are_shared_evenly() -> None:
    ready = [task(name) for name in "abc"]
    assert started(ready, budget=8) == [("a", 3, 3), ("b", 3, 3), ("c", 2, 2)]
    assert started(ready, budget=2) == [("a", 1, 1), ("b", 1, 1)]


def test_spare_jobs_go_to_the_most_important_first_and_none_has_more_than_the_budget() -> None:
    ready = [task(name) for name in "abc"]
    assert started(ready, budget=8, spare=8) == [("a", 8, 3), ("b", 6, 3), ("c", 2, 2)]
    assert started(ready, budget=2, spare=2) == [("a", 2, 1), ("b", 2, 1)]
    assert started(ready[:1], budget=2, jobs=1, spare=1, idle=False) == [("a", 2, 1)]
    assert started(ready, budget=1, spare=1) == [("a", 1, 1)]
    assert started([task("a", jobs=1), task("b")], budget=2, spare=2) == [("a", 1, 1), ("b", 2, 1)]


def test_spare_jobs_do_not_take_the_memory_of_another_start() -> None:
    big, small = task("big", memory_mb=3000), task("small", memory_mb=1000)
    assert started([big, small], budget=2, spare=2, memory_mb=5000) == [("big", 1, 1), ("small", 2, 1)]
    assert started([big, small], budget=2, spare=2, memory_mb=7000) == [("big", 2, 1), ("small", 1, 1)]


def test_a_limit_of_a_recipe_leaves_jobs_to_others() -> None:
    assert started([task("a", jobs=1), task("b")], budget=8) == [("a", 1, 1), ("b", 7, 7)]


def test_jobs_that_do_not_fit_into_memory_are_not_started() -> None:
    big, small = task("big", memory_mb=3000), task("small", memory_mb=500)
    assert started([big, small], budget=8, memory_mb=7000) == [("big", 2, 2), ("small", 2, 2)]
    assert started([big, small], budget=8, memory_mb=2000, idle=False) == [("small", 4, 4)]
    assert started([big], budget=8, memory_mb=2000) == [("big", 1, 1)]


@given(
    st.lists(st.tuples(st.integers(1, 3000), st.none() | st.integers(1, 4)), max_size=12),
    st.integers(1, 16),
    st.integers(0, 16),
    st.integers(0, 16),
    st.none() | st.integers(0, 10_000),
    st.booleans(),
)
def test_a_budget_is_never_exceeded(
    wants: list[tuple[int, int | None]], budget: int, jobs: int, spare: int, memory_mb: int | None, idle: bool
) -> None:
    jobs, spare = min(jobs, budget), min(spare, budget)
    ready = [task(str(number), memory_mb=memory, jobs=limit) for number, (memory, limit) in enumerate(wants)]
    starts = next_starts(ready, Free(budget=budget, jobs=jobs, spare=spare, memory_mb=memory_mb, idle=idle))
    assert sum(start.share for start in starts) <= jobs
    assert sum(start.jobs - start.share for start in starts) <= spare
    assert all(1 <= start.share <= start.jobs <= min(budget, start.task.jobs or budget) for start in starts)
    if memory_mb is not None and len(starts) > 1:
        assert sum(start.jobs * start.task.memory_mb for start in starts[1:]) <= memory_mb
    if idle and ready and jobs:
        assert starts


def test_independent_tasks_run_together_within_the_budget(tmp_path: Path) -> None:
    build = Recorder(tmp_path)
    tasks = [task(f"n{number}") for number in range(12)]
    assert set(run(tasks, build, jobs=3).values()) == {Outcome.BUILT}
    assert build.most_together == 3
    assert 3 < build.most_jobs <= 6


def test_one_job_means_one_node_and_one_job(tmp_path: Path) -> None:
    build = Recorder(tmp_path)
    run([task(f"n{number}") for number in range(4)], build, jobs=1)
    assert (build.most_together, build.most_jobs) == (1, 1)


def test_a_long_node_that_starts_beside_another_can_use_the_whole_budget(tmp_path: Path) -> None:
    build = Recorder(tmp_path)
    run([task("long", estimate_s=400), task("short")], build, jobs=2)
    assert build.jobs == {"long": 2, "short": 2}


def test_after_a_failure_nothing_new_is_started(tmp_path: Path) -> None:
    build = Recorder(tmp_path, fail={"a": BuildError("a is broken")})
    tasks = [task("a", estimate_s=9), task("b", "a"), task("c")]
    assert run(tasks, build) == {"a": Outcome.FAILED, "b": Outcome.SKIPPED, "c": Outcome.SKIPPED}
    assert build.started == ["a"]


def test_keep_going_leaves_out_only_what_needs_the_failed_one(tmp_path: Path) -> None:
    build = Recorder(tmp_path, fail={"a": BuildError("a is broken")})
    tasks = [task("a", estimate_s=9), task("b", "a"), task("c", "b"), task("d"), task("e", "d")]
    assert run(tasks, build, keep_going=True) == {
        "a": Outcome.FAILED,
        "b": Outcome.SKIPPED,
        "c": Outcome.SKIPPED,
        "d": Outcome.BUILT,
        "e": Outcome.BUILT,
    }


def test_an_interruption_stops_all_and_comes_out() -> None:
    stopped: list[str] = []

    def build(package: str, jobs: int, cancel: threading.Event) -> tuple[Artifact, Outcome]:
        if package == "b":
            raise KeyboardInterrupt
        assert cancel.wait(10)
        stopped.append(package)
        raise Cancelled

    with pytest.raises(KeyboardInterrupt):
        run([task("a"), task("b")], build, jobs=2)
    assert stopped == ["a"]


def test_failures_come_out_as_one_error_with_all_faults() -> None:
    fault = Fault(message="b is broken", hint="repair it")
    results = [
        Result(package="a", outcome=Outcome.FAILED, error=BuildError("a is broken")),
        Result(package="b", outcome=Outcome.FAILED, error=BuildError.of([fault])),
        Result(package="d", outcome=Outcome.SKIPPED),
        Result(package="c", outcome=Outcome.SKIPPED),
    ]
    with pytest.raises(BuildError) as caught:
        refuse_failed(results)
    assert str(caught.value) == ("a is broken\nb is broken\n  hint: repair it\nwarning: not built after that: c, d")
    refuse_failed([Result(package="a", outcome=Outcome.CACHED)])


def test_the_cause_of_a_single_failure_keeps_its_status() -> None:
    with pytest.raises(SourceError):
        refuse_failed([Result(package="a", outcome=Outcome.FAILED, error=SourceError("wrong sha256"))])
    mixed = [
        Result(package="a", outcome=Outcome.FAILED, error=SourceError("wrong sha256")),
        Result(package="b", outcome=Outcome.FAILED, error=HostError("no space")),
    ]
    with pytest.raises(BuildError):
        refuse_failed(mixed)


def test_when_the_time_is_over_nothing_new_is_started(tmp_path: Path) -> None:
    build = Recorder(tmp_path)
    tasks = [task("first", estimate_s=50), task("second", "first", estimate_s=50), task("small", estimate_s=0.01)]
    results = schedule.run(
        tasks, build, budget=Budget(jobs=1, wall_s=10), keep_going=False, progress=Silent(), title="build"
    )
    outcomes = {result.package: result.outcome for result in results}
    assert outcomes == {"first": Outcome.BUILT, "second": Outcome.SKIPPED, "small": Outcome.BUILT}
    refuse_failed(results)
