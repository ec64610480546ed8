"""The whole of dance-mini on a Slurm of one machine: a job is cancelled, a program killed, and little is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.building import TARGET
from tests.integration.slurm import slurm
from tests.integration.test_pipelines import LODE, ROOT
from tests.integration.waiting import running, wait_for

__all__ = ["slurm"]

pytestmark = pytest.mark.integration

STACK = "dance-mini@2026.11"
LONG, BEGIN = (os.environ.get(name) for name in ("LODE_TEST_LONG", "LODE_TEST_STORE"))  # each test's own is cleared


def test_slurm_builds_dance_mini_and_what_is_ended_midway_loses_under_a_node(
    tmp_path: Path, slurm: dict[str, str]
) -> None:
    if not LONG:
        pytest.skip("takes half an hour: LODE_TEST_LONG=1 runs it")
    clone, farm, home, store = (tmp_path / name for name in ("clone", "farm", "home", "store"))
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    home.mkdir()
    if BEGIN:
        shutil.copytree(BEGIN, store)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LODE_HOME": str(home / "lode"),
                   "LODE_STORE": str(store), "LODE_REPOSITORY": str(clone), **slurm}  # fmt: skip
    words = ["ci", "render", STACK, "--to", "slurm", "-o", str(farm), "--lode", LODE, "--cores", "2"]
    limits = ["--target", TARGET, "--max-minutes", "60"]
    subprocess.run([sys.executable, "-m", "lode", *words, *limits], check=True, cwd=clone, env=environment)
    (level,) = (file.parent for file in farm.glob("level-*/*.sh") if " lode build " in file.read_text())
    (publish,) = (file for file in farm.glob("level-*/*.sh") if " lode publish " in file.read_text())
    publish.write_text("#!/bin/sh\n")
    ended = subprocess.run(
        ["sh", str(farm / "submit.sh")], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr

    def said(*command: str) -> str:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    def jobs() -> list[str]:
        return said(
            "squeue", "--noheader", "--states=running", "--format=%i", f"--name=dance-mini-{level.name[-2:]}"
        ).split()

    def built() -> list[str]:
        file = home / "lode" / "cache" / "times.jsonl"
        return [json.loads(line)[1] for line in file.read_text().splitlines()] if file.exists() else []

    def state() -> str:
        return "".join(f"{file}: {file.read_text()[-1500:]}\n" for file in (farm / "logs").glob("*.out"))

    def after(count: int, then: Callable[[], object]) -> list[str]:
        """Do `then` once so many further nodes were built and others are under way; return what was built before."""
        goal = len(built()) + count
        wait_for(lambda: len(built()) >= goal and bool(jobs()) and bool(running(home, "build", STACK)), state, 3000)
        before = built()
        then()
        return before

    first = after(2, lambda: said("scancel", *jobs()))
    second = after(2, lambda: [os.kill(number, signal.SIGKILL) for number in running(home, "build", STACK)])
    wait_for(lambda: not said("squeue", "--noheader").strip(), state, 3000)
    assert first == built()[: len(first)]
    assert second == built()[: len(second)]
    assert len(built()) == len(set(built())), "a node was built twice"
    reports = "".join(file.read_text() for file in (farm / "logs").glob("*.out"))
    assert "it was ended by a signal: the next attempt goes on" in reports
    assert "is released" in reports
    entries = {file.stem for file in (store / "nodes").rglob("*.json")}
    lock = json.loads((clone / "stacks" / "dance-mini" / "2026.11" / "lode.lock").read_text())
    assert {node["hashes"][TARGET] for node in lock["nodes"] if TARGET in node["hashes"]} <= entries
