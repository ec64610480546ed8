"""CPU seconds of `lode affected --since HEAD` in a git repository of 2,000 recipes and ten stacks of 120 nodes.

The whole command with its start counts, git's part too. All stacks share 60 base packages, so that a change of one of
those touches all of them.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAME = "affected"
RECIPES, STACKS, BASE, OWN = 2000, 10, 60, 60
ROUNDS = 3
LODE = [sys.executable, "-m", "lode"]
TARGETS = Path(__file__).resolve().parents[1] / "containers" / "targets"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
RECIPE = """\
# A made-up recipe of the usual length.
name: {name}
summary: Made-up package number {number}, for reading tracks of particles in liquid argon
homepage: https://example.org/{name}
license: BSD-3-Clause
versions:
  - version: "2.{number}.0"
    source:
      - url: https://example.org/{name}-2.{number}.0.tar.gz
        sha256: {sha}
        size: 10{number}
  - version: "1.{number}.0"
    source:
      - url: https://example.org/{name}-1.{number}.0.tar.gz
        sha256: {sha}
        size: 10{number}
options:
  threads: {{default: true, summary: run on several cores}}
dependencies:
  build: [cxx, cmake >=3.16]
  link: [{link}]
build:
  system: cmake
  args:
    - -DBUILD_SHARED_LIBS=ON
    - {{option: threads, define: USE_THREADS}}
tests:
  - {{name: version, run: "{name} --version"}}
"""


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return the CPU seconds for each kind of change with its limit."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder)
        rows: list[tuple[str, float, str, float | None]] = []
        own, base = BASE + OWN // 2, BASE // 2
        for what, change, nodes, limit in (
            ("nothing changed", lambda: None, 0, 1.0),
            ("a comment in a recipe of one stack", lambda: edit(folder, own, "# A made-up", "# Another"), 0, 1.0),
            ("a recipe of one stack", lambda: edit(folder, own, "LIBS=ON", "LIBS=OFF"), OWN // 2, 1.0),
            ("a recipe that no stack has", lambda: edit(folder, RECIPES - 1, "LIBS=ON", "LIBS=OFF"), 0, 1.0),
            ("a recipe of all ten stacks", lambda: edit(folder, base, "LIBS=ON", "LIBS=OFF"),
             STACKS * (OWN + BASE // 2), None),
        ):  # fmt: skip
            rows.append((what, best(folder, change, nodes), "s CPU", limit))
    return [*rows, ("load average", os.getloadavg()[0], "", None)]


def best(folder: Path, change: Callable[[], object], nodes: int) -> float:
    """Return the least CPU seconds (user and system) of some runs after `change`, which moves so many `nodes`."""
    change()
    times = []
    for _ in range(ROUNDS):
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [*LODE, "affected", "--since", "HEAD", "--json"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(f"lode affected exits with {done.returncode}: {done.stderr}")
        found: dict[str, Any] = json.loads(done.stdout)
        moved = sum(len(stack["nodes"]) for stack in found["stacks"])
        if moved != nodes:
            raise RuntimeError(f"{moved} nodes are affected instead of {nodes}")
        times.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
    git(folder, "checkout", "--quiet", ".")
    return min(times)


def edit(folder: Path, number: int, old: str, new: str) -> None:
    """Change a recipe."""
    file = folder / "recipes" / f"package-{number:04d}" / "recipe.yaml"
    file.write_text(file.read_text().replace(old, new, 1))


def make(folder: Path) -> None:
    """Write the collection, lock its stacks and commit it all."""
    (folder / "containers" / "targets").mkdir(parents=True)
    shutil.copy(TARGETS / "debian12-x86_64.yaml", folder / "containers" / "targets")
    (folder / "collection.yaml").write_text('name: made-up\nversion: "1"\n')
    for number in range(RECIPES):
        home = folder / "recipes" / f"package-{number:04d}"
        home.mkdir(parents=True)
        needs = [other for other in (number - 1, number - 7) if other >= 0 and _block(other) in (_block(number), 0)]
        link = ", ".join(f"package-{other:04d} >=1" for other in needs or ([BASE - 1] if number else []))
        home.joinpath("recipe.yaml").write_text(RECIPE.format(name=home.name, number=number, sha=SHA256, link=link))
    for name in (f"stack-{number}" for number in range(STACKS)):
        place = folder / "stacks" / name / "1"
        place.mkdir(parents=True)
        last = BASE + OWN * (int(name[6:]) + 1) - 1
        (place / "stack.yaml").write_text(
            f"name: {name}\nrelease: '1'\ndate: 2026-11-01\nsummary: A stack\ntargets: [debian12-x86_64]\n"
            f"requirements: [package-{last:04d}]\n"
        )
    git(folder, "init", "--quiet")
    for number in range(STACKS):
        subprocess.run([*LODE, "lock", f"stack-{number}", "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "start")


def _block(number: int) -> int:
    """Return 0 for a base package, else the stack that has the package, from 1."""
    return 0 if number < BASE else (number - BASE) // OWN + 1


def git(folder: Path, *words: str) -> None:
    """Run git in `folder`."""
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", "-c", "gc.auto=0"]
    subprocess.run(["git", "-C", str(folder), *settings, *words], check=True, stdout=subprocess.DEVNULL)
