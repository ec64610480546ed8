"""A DAG of HTCondor whose attempts have all failed: what was done stays done when it is submitted again."""

from __future__ import annotations

import json

import pytest
from tests.integration.building import TARGET, Collection, collection
from tests.integration.condor import Pool, pool, programs
from tests.integration.test_farms import ends
from tests.integration.test_pipelines import BUILD, entries, machine, render, repository
from tests.integration.waiting import wait_for

__all__ = ["collection", "pool", "programs", "repository"]

pytestmark = pytest.mark.integration


def test_a_dag_that_failed_goes_on_from_its_rescue_and_builds_nothing_twice(repository: Collection, pool: Pool) -> None:
    farm = repository.root / "farm"
    render(repository, "condor", farm)
    (farm / "jobs" / "publish.sh").write_text("#!/bin/sh\n")  # publishing is not this test's
    second, mended = farm / "jobs" / f"{BUILD}-02.sh", repository.home / "mended"
    second.write_text(second.read_text().replace("set -eu\n", f'set -eu\n[ -e "{mended}" ] || exit 7\n', 1))
    environment = machine(repository, "farm") | {"LODE_REPOSITORY": str(repository.root)}
    over = farm / "tiny.dag.metrics"

    def run() -> tuple[int, list[str]]:
        """Return how the DAG ended, and its jobs so far."""
        over.unlink(missing_ok=True)
        ended = pool.run("condor_submit_dag", "tiny.dag", environment=environment, folder=farm)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        wait_for(over.is_file, lambda: (farm / "tiny.dag.dagman.out").read_text()[-2000:], timeout_s=300)
        return json.loads(over.read_text())["exitcode"], ends((farm / "logs" / "dag.log").read_text())

    failed = ["check 0", f"{BUILD}-01 0", *[f"{BUILD}-02 7"] * 4]
    assert run() == (1, failed)
    assert entries(repository) == 1
    assert (farm / "tiny.dag.rescue001").is_file()
    mended.touch()
    assert run() == (0, [*failed, f"{BUILD}-02 0", f"test-{TARGET} 0", "publish 0"])
    assert entries(repository) == 2
    times = (repository.home / "farm" / "lode" / "cache" / "times.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)[1] for line in times) == ["reader", "wave"]
