"""The whole of dance-mini on a pool of HTCondor: a program is killed, its node of the DAG is run again."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from tests.integration.condor import Pool, pool, programs
from tests.integration.mini import mini
from tests.integration.waiting import wait_for

__all__ = ["pool", "programs"]

pytestmark = pytest.mark.integration


def test_htcondor_builds_dance_mini_and_what_is_killed_midway_loses_under_a_node(tmp_path: Path, pool: Pool) -> None:
    run = mini("condor", tmp_path)
    (run.farm / "jobs" / "publish.sh").write_text("#!/bin/sh\n")
    ended = pool.run("condor_submit_dag", "dance-mini.dag", environment=run.environment, folder=run.farm)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    before = run.after(2, lambda: [os.kill(number, signal.SIGKILL) for number in run.building()])
    metrics = run.farm / "dance-mini.dag.metrics"
    wait_for(metrics.is_file, run.state, 3000)
    assert json.loads(metrics.read_text())["exitcode"] == 0, run.state()
    assert "return value 137" in run.logs()["dag.log"]
    run.check(before)
