"""The whole of dance-mini on a Slurm of one machine: a job is cancelled, a program killed, and little is lost."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests.integration.mini import mini
from tests.integration.slurm import slurm
from tests.integration.waiting import wait_for

__all__ = ["slurm"]

pytestmark = pytest.mark.integration


def test_slurm_builds_dance_mini_and_what_is_ended_midway_loses_under_a_node(
    tmp_path: Path, slurm: dict[str, str]
) -> None:
    run = mini("slurm", tmp_path, **slurm)
    (level,) = (file.parent for file in run.farm.glob("level-*/*.sh") if " lode build " in file.read_text())
    (publish,) = (file for file in run.farm.glob("level-*/*.sh") if " lode publish " in file.read_text())
    publish.write_text("#!/bin/sh\n")
    ended = subprocess.run(
        ["sh", str(run.farm / "submit.sh")], env=run.environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr

    def said(*command: str) -> str:
        return subprocess.run(command, env=run.environment, capture_output=True, text=True, check=True).stdout

    def jobs() -> list[str]:
        return said(
            "squeue", "--noheader", "--states=running", "--format=%i", f"--name=dance-mini-{level.name[-2:]}"
        ).split()

    first = run.after(2, lambda: said("scancel", *jobs()), lambda: bool(jobs()))
    second = run.after(2, lambda: [os.kill(number, signal.SIGKILL) for number in run.building()], lambda: bool(jobs()))
    wait_for(lambda: not said("squeue", "--noheader").strip(), run.state, 3000)
    assert "it was ended by a signal: the next attempt goes on" in "".join(run.logs().values())
    run.check(first, second)
