"""Rendered pipelines on batch farms: Slurm and HTCondor, each of one machine, with a job that is killed and goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest
from tests.integration.building import READER, READER_C, TARGET, Collection, collection
from tests.integration.condor import Pool, pool, programs
from tests.integration.slurm import slurm
from tests.integration.test_pipelines import BUILD, entries, machine, render, repository
from tests.integration.waiting import running, wait_for

__all__ = ["collection", "pool", "programs", "repository", "slurm"]

pytestmark = pytest.mark.integration


def test_job_arrays_of_slurm_build_and_test_and_a_killed_job_goes_on(
    repository: Collection, slurm: dict[str, str]
) -> None:
    farm = repository.root / "farm"
    render(repository, "slurm", farm)
    (farm / "level-05" / "0.sh").write_text("#!/bin/sh\n")  # publishing is not this test's
    environment = machine(repository, "farm") | slurm | {"LODE_REPOSITORY": str(repository.root)}
    second = farm / "level-03" / "0.sh"  # the second build: first its time is over, then it is killed
    late, died = (repository.home / name for name in ("late", "died"))
    ends = f'[ -e "{late}" ] || {{ touch "{late}"; exit 12; }}\n[ -e "{died}" ] || {{ touch "{died}"; kill -9 $$; }}\n'
    second.write_text(second.read_text().replace("set -eu\n", f"set -eu\n{ends}", 1))
    ended = subprocess.run(
        ["sh", str(farm / "submit.sh")], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert [line.split(":")[0] for line in ended.stdout.splitlines()] == [f"level {level}" for level in range(1, 6)]

    def over() -> bool:
        words = ["squeue", "--noheader", "--format=%i %T %r"]
        left = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
        return not left.strip()

    logs = farm / "logs"
    wait_for(over, f"jobs are left; {[file.read_text()[-500:] for file in logs.glob('*.out')]}", timeout_s=420)
    said = {file.name: file.read_text() for file in logs.glob("*.out")}
    assert sorted(said) == [f"tiny-{level:02}-0.out" for level in range(1, 6)], said
    assert "its time was over: the next attempt goes on" in said["tiny-03-0.out"]
    assert "it was ended by a signal: the next attempt goes on" in said["tiny-03-0.out"]
    assert "is released" in said["tiny-04-0.out"], said
    assert entries(repository) == 2


def ends(log: str) -> list[str]:
    """Return how the jobs in HTCondor's log of a DAG ended, in order: the node and its exit status."""
    names = dict(re.findall(r"^000 \((\d+)\.[^\n]*\n(?:[^\n.]*\n)*?\s+DAG Node: (\S+)", log, re.MULTILINE))
    ended = re.findall(
        r"^005 \((\d+)\.[^\n]*\n\s+\(\d\) \w+ termination \((?:return value|signal) (\d+)", log, re.MULTILINE
    )
    return [f"{names[number]} {status}" for number, status in ended]


def test_a_pool_of_htcondor_builds_and_tests_and_a_killed_job_goes_on(repository: Collection, pool: Pool) -> None:
    repository.recipe("reader", f"sleep 5\n{READER}", link="wave", files={"reader.c": READER_C})
    repository.lock("reader")
    farm = repository.root / "farm"
    render(repository, "condor", farm)
    (farm / "jobs" / "publish.sh").write_text("#!/bin/sh\n")  # publishing is not this test's
    environment = machine(repository, "farm") | {"LODE_REPOSITORY": str(repository.root)}
    ended = pool.run("condor_submit_dag", "tiny.dag", environment=environment, folder=farm)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = farm / "logs"

    def state() -> str:
        return "".join(
            f"{file}: {file.read_text()[-2000:]}\n" for file in (*told.glob("*.*"), farm / "tiny.dag.dagman.out")
        )

    wait_for(lambda: bool(running(repository.root, "build", "reader")), state, timeout_s=200)
    for number in running(repository.root, "build", "reader"):
        os.kill(number, signal.SIGKILL)
    wait_for((farm / "tiny.dag.metrics").is_file, state, timeout_s=300)
    killed = f"{BUILD}-02"
    expected = ["check 0", f"{BUILD}-01 0", f"{killed} 137", f"{killed} 0", f"test-{TARGET} 0", "publish 0"]
    assert ends((told / "dag.log").read_text()) == expected, state()
    assert entries(repository) == 2
