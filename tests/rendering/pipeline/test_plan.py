from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rendering.pipeline.graphs import DRAWN, T, drawn, lock

from lode.errors import UsageError
from lode.locking.graph import dependencies
from lode.rendering.pipeline import Job, Limits, Stage
from lode.rendering.pipeline.plan import Estimate, order, plan

TWO_TOWERS = {"a1": (), "a2": ("a1",), "a3": ("a2",), "b1": (), "b2": ("b1",), "b3": ("b2",), "base": ()}


@st.composite
def graphs(draw: st.DrawFn) -> Mapping[str, tuple[str, ...]]:
    """Any graph without circles: a node needs some of those before it in an order that is not that of the names."""
    count = draw(st.integers(1, 14))
    names = draw(st.permutations([f"n{number:02}" for number in range(count)]))
    return {
        name: tuple(draw(st.lists(st.sampled_from(names[:index]), max_size=4, unique=True))) if index else ()
        for index, name in enumerate(names)
    }


def of(jobs: tuple[Job, ...], stage: Stage) -> list[Job]:
    return [job for job in jobs if job.stage is stage]


@given(graphs(), st.data())
def test_shards_hold_every_node_once_within_the_limits_and_wait_for_what_they_need(
    edges: Mapping[str, tuple[str, ...]], data: st.DataObject
) -> None:
    seconds = {name: data.draw(st.floats(1, 3000)) for name in edges}
    limits = Limits(minutes=data.draw(st.sampled_from([15, 30, 90])), disk_mb=12000, cores=4)
    jobs = drawn(edges, seconds, limits=limits).jobs
    builds = of(jobs, Stage.BUILD)
    assert sorted(package for job in builds for package in job.packages) == sorted(edges)
    home = {package: job.name for job in builds for package in job.packages}
    seen: set[str] = set()
    for job in jobs:  # an order in which they can run: there is no circle
        assert seen.issuperset(job.needs)
        seen.add(job.name)
    for job in builds:
        assert job.minutes <= limits.minutes
        needed = {home[other] for package in job.packages for other in edges[package]} - {job.name}
        assert set(job.needs) == needed or (not needed and job.needs == ("check",))
        places = {package: index for index, package in enumerate(job.packages)}
        for package in job.packages:
            assert all(places[other] < places[package] for other in edges[package] if other in places)


@given(graphs())
def test_the_order_of_writing_never_matters(edges: Mapping[str, tuple[str, ...]]) -> None:
    assert drawn(edges, {}) == drawn(dict(reversed(list(edges.items()))), {})


def test_what_has_nothing_to_do_with_each_other_runs_at_once() -> None:
    jobs = {job.name: job for job in drawn(TWO_TOWERS, {}, limits=Limits(minutes=4, disk_mb=12000, cores=1)).jobs}
    builds = [job for job in jobs.values() if job.stage is Stage.BUILD]
    assert [(job.packages, job.needs) for job in builds] == [
        (("a1", "a2"), ("check",)),
        (("a3", "b1"), ("build-debian12-x86_64-01",)),
        (("b2", "b3"), ("build-debian12-x86_64-02",)),
        (("base",), ("check",)),
    ]


def test_the_order_keeps_what_belongs_together_side_by_side() -> None:
    made = lock(TWO_TOWERS)
    names = [node.package for node in order(made, T)]
    assert names == ["a1", "a2", "a3", "b1", "b2", "b3", "base"]
    assert all(names.index(other) < names.index(node.package) for node in made.nodes for other in dependencies(node, T))


def test_gates_come_after_all_that_they_stand_for() -> None:
    jobs = drawn({"a": (), "b": ("a",)}, {}, "debian12-x86_64", "el9-x86_64").jobs
    assert [(job.name, job.needs, job.trusted) for job in jobs] == [
        ("check", (), False),
        ("build-debian12-x86_64-01", ("check",), False),
        ("test-debian12-x86_64", ("build-debian12-x86_64-01",), False),
        ("build-el9-x86_64-01", ("check",), False),
        ("test-el9-x86_64", ("build-el9-x86_64-01",), False),
        ("publish", ("test-debian12-x86_64", "test-el9-x86_64"), True),
    ]


def test_nodes_larger_than_a_job_are_all_named() -> None:
    with pytest.raises(UsageError) as refused:
        drawn({"big": (), "small": (), "vast": ()}, {"big": 40000, "small": 1, "vast": 50000})
    assert str(refused.value) == (
        "big 6.32.04 on debian12-x86_64 takes 169 minutes by itself, of 60 that a job has\n"
        "  hint: raise the limit; a node cannot be cut in two\n"
        "vast 6.32.04 on debian12-x86_64 takes 210 minutes by itself, of 60 that a job has\n"
        "  hint: raise the limit; a node cannot be cut in two"
    )


def test_a_node_that_fills_the_disk_is_named() -> None:
    with pytest.raises(UsageError) as refused:
        plan(lock({"big": ()}), lambda node, target: Estimate(cpu_s=1, disk_mb=20000), limits=DRAWN)
    assert str(refused.value).startswith("big 6.32.04 on debian12-x86_64 needs 22.0 GB by itself, of 12 that a job has")


def test_a_target_that_the_lock_lacks_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        plan(lock({"a": ()}), lambda node, target: Estimate(cpu_s=1, disk_mb=1), limits=DRAWN, targets=("el9-x86_64",))
    assert str(refused.value) == ("dance@2026.11 has no target 'el9-x86_64'\n  hint: it has: debian12-x86_64")


def test_times_that_were_guessed_are_told() -> None:
    assert drawn({"known": (), "new": ()}, {"known": 3}).guessed == ("new",)


def test_with_a_policy_every_job_that_reads_the_store_is_told_it_and_hands_on_what_it_built() -> None:
    words = ("--store-policy", "trust/ours.yaml", "--store-built", "lode-built")
    for job in drawn({"a": (), "b": ("a",)}, {}, policy="trust/ours.yaml").jobs:
        assert job.hands == (None if job.stage is Stage.CHECK else "lode-built")
        for line in job.commands:
            assert (line[-4:] == words) == (line[1] in ("build", "release")), line
    for job in drawn({"a": ()}, {}).jobs:
        assert job.hands is None
        assert all("--store-policy" not in line for line in job.commands)


def test_the_index_of_the_store_is_signed_where_secrets_are_between_tests_and_publishing() -> None:
    for job in drawn({"a": (), "b": ("a",)}, {}).jobs:
        said = [line[1:3] for line in job.commands]
        if job.trusted:
            assert said == [("release", "dance@2026.11"), ("store", "sign"), ("publish", "dance@2026.11")]
        else:
            assert ("store", "sign") not in said
