"""The whole of dance-mini on a batch farm, for those who have half an hour."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.integration.building import TARGET
from tests.integration.test_pipelines import LODE, ROOT
from tests.integration.waiting import running, wait_for

STACK = "dance-mini@2026.11"
LONG, BEGIN = (os.environ.get(name) for name in ("LODE_TEST_LONG", "LODE_TEST_STORE"))  # each test's own is cleared


@dataclass(frozen=True, slots=True, kw_only=True)
class Mini:
    """A clone of this repository, the pipeline rendered beside it, and what its jobs leave."""

    clone: Path
    farm: Path
    home: Path
    store: Path
    environment: dict[str, str]

    def built(self) -> list[str]:
        """Return the packages that were built so far, in order."""
        file = self.home / "lode" / "cache" / "times.jsonl"
        return [json.loads(line)[1] for line in file.read_text().splitlines()] if file.exists() else []

    def building(self) -> list[int]:
        """Return the processes that build the stack."""
        return running(self.home, "build", STACK)

    def logs(self) -> dict[str, str]:
        """Return what the jobs said."""
        return {file.name: file.read_text(errors="replace") for file in (self.farm / "logs").glob("*.*")}

    def state(self) -> str:
        """Return the ends of what the jobs said."""
        return "".join(f"{name}: {text[-1500:]}\n" for name, text in self.logs().items())

    def after(self, count: int, then: Callable[[], object], ready: Callable[[], bool] = lambda: True) -> list[str]:
        """Do `then` once so many further nodes were built and others are under way; return what was built before."""
        goal = len(self.built()) + count
        wait_for(lambda: len(self.built()) >= goal and ready() and bool(self.building()), self.state, 3000)
        before = self.built()
        then()
        return before

    def check(self, *before: list[str]) -> None:
        """Fail unless all was built, nothing twice, and what was built before each of the ends was kept."""
        built = self.built()
        for kept in before:
            assert kept == built[: len(kept)]
        assert len(built) == len(set(built)), "a node was built twice"
        assert "is released" in "".join(self.logs().values())
        entries = {file.stem for file in (self.store / "nodes").rglob("*.json")}
        lock = json.loads((self.clone / "stacks" / "dance-mini" / "2026.11" / "lode.lock").read_text())
        assert {node["hashes"][TARGET] for node in lock["nodes"] if TARGET in node["hashes"]} <= entries


def mini(engine: str, place: Path, **environment: str) -> Mini:
    """Return the pipeline of dance-mini for an engine below `place`; the test is skipped where it would take too long.

    LODE_TEST_STORE names a store that it begins with.
    """
    if not LONG:
        pytest.skip("takes half an hour: LODE_TEST_LONG=1 runs it")
    clone, farm, home, store = (place / name for name in ("clone", "farm", "home", "store"))
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    home.mkdir()
    if BEGIN:
        shutil.copytree(BEGIN, store)
    own = {"PATH": os.environ["PATH"], "HOME": str(home), "LODE_HOME": str(home / "lode"),
           "LODE_STORE": str(store), "LODE_REPOSITORY": str(clone), **environment}  # fmt: skip
    words = ["ci", "render", STACK, "--to", engine, "-o", str(farm), "--lode", LODE, "--cores", "2"]
    limits = ["--target", TARGET, "--max-minutes", "60"]
    subprocess.run([sys.executable, "-m", "lode", *words, *limits], check=True, cwd=clone, env=own)
    return Mini(clone=clone, farm=farm, home=home, store=store, environment=own)
