"""CPU seconds of `lode lock` for a made-up stack of 300 nodes on 3 targets: anew, after one change, and when refused.

The whole command with its start counts. The recipes are as long as real ones, five versions each, with dependencies
that depend on versions and options, so that the newest versions of all do not fit together.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

NAME = "lock"
NODES = 300
ROUNDS = 3
LODE = Path(sys.executable).with_name("lode")
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"
TARGETS = Path(__file__).resolve().parents[1] / "containers" / "targets"


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return the CPU seconds of each command with its limit."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder)
        lock = folder / "stacks" / "big" / "1" / "lode.lock"
        stack = lock.with_name("stack.yaml")
        written = stack.read_text()

        first = best(folder, ["lock", "big"], before=lambda: lock.unlink(missing_ok=True))
        nodes = lock.read_text().count('"prebuilt":')
        unchanged = best(folder, ["lock", "big", "--check"])
        chosen = lock.read_bytes()
        changed = written.replace("- package-0290", "- package-0290 <5", 1)

        def change() -> None:
            stack.write_text(changed)
            lock.write_bytes(chosen)

        after_change = best(folder, ["lock", "big"], before=change)
        stack.write_text(written.replace("- package-0290", "- package-0290 ==99", 1))
        unknown = best(folder, ["lock", "big"], status=4)
        stack.write_text(written.replace("- package-0000", "- package-0000 <2", 1))
        conflict = best(folder, ["lock", "big"], status=4)
        load = _load(chosen)
    return [
        (f"{nodes} nodes on 3 targets, first lock", first, "s CPU", 1.5),
        ("up to date, --check", unchanged, "s CPU", 1.0),
        ("after one change", after_change, "s CPU", 1.0),
        ("unknown version refused", unknown, "s CPU", 0.3),
        ("conflict explained", conflict, "s CPU", None),
        ("reading the lock", load, "s CPU", 0.15),
        ("load average", os.getloadavg()[0], "", None),
    ]


def best(folder: Path, arguments: list[str], *, status: int = 0, before: Callable[[], object] = lambda: None) -> float:
    """Return the least CPU seconds (user and system) of some runs of `lode` in `folder`."""
    times = []
    for _ in range(ROUNDS):
        before()
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([LODE, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != status:
            raise RuntimeError(f"lode {' '.join(arguments)} exits with {done.returncode}: {done.stderr or done.stdout}")
        times.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
    return min(times)


def make(folder: Path) -> None:
    """Write a collection with the stack `big` below `folder`."""
    targets = folder / "containers" / "targets"
    targets.mkdir(parents=True)
    written = (TARGETS / "debian12-x86_64.yaml").read_text()
    for name, system, version in (
        ("debian12", "debian", "12"),
        ("debian13", "debian", "13"),
        ("el9", "almalinux", "9"),
    ):
        text = written.replace("name: debian12-x86_64", f"name: {name}-x86_64").replace("os: debian", f"os: {system}")
        (targets / f"{name}-x86_64.yaml").write_text(text.replace('os_version: "12"', f'os_version: "{version}"'))
    (folder / "collection.yaml").write_text('name: made-up\nversion: "1"\n')
    chance = random.Random(1)
    for number in range(NODES):
        home = folder / "recipes" / f"package-{number:04d}"
        (home / "tests").mkdir(parents=True)
        (home / "patches").mkdir()
        (home / "patches" / "gcc.patch").write_text("a patch\n")
        (home / "tests" / "links.cpp").write_text("int main() { return 0; }\n")
        (home / "recipe.yaml").write_text(recipe(number, chance))
    stack = folder / "stacks" / "big" / "1"
    stack.mkdir(parents=True)
    wanted = [NODES - 10, *range(0, NODES, 10)]
    requirements = "\n".join(f"  - package-{number:04d}" for number in sorted(set(wanted)))
    (stack / "stack.yaml").write_text(
        'name: big\nrelease: "1"\ndate: 2026-11-01\nsummary: A large stack\n'
        "targets: [debian12-x86_64, debian13-x86_64, el9-x86_64]\n"
        f"requirements:\n{requirements}\n  - package-{NODES - 1:04d}\n"
    )


def recipe(number: int, chance: random.Random) -> str:
    """Return a recipe of five versions with some five dependencies on earlier ones."""
    earlier = sorted({number - 1, *chance.choices(range(number), k=4)}) if number else []
    needs = []
    for step, other in enumerate(earlier):
        name = f"package-{other:04d}"
        match step:
            case 0:
                needs.append(f"    - {name} >=2")
            case 1:
                needs.append(f"    - {{package: {name} >=2, when: +threads}}")
            case 2:
                needs.append(f'    - {{package: {name} <5, when: ">=5"}}\n    - {{package: {name}, when: "<5"}}')
            case 3:
                needs.append(f"    - {{package: {name} +threads, when: os=debian}}\n    - {name} >=1,<9")
            case _:
                needs.append(f"    - {name}")
    versions = "".join(
        f"""  - version: "{major}.{number}.0"
    source:
      - url: https://example.org/package-{number:04d}-{major}.{number}.0.tar.gz
        sha256: {SHA256}{major:02x}
        size: {1000 + number}
    patches:
      - {{file: patches/gcc.patch, reason: gcc 13 needs another header, until: ">=9"}}
"""
        for major in range(1, 6)
    )
    return f"""# A made-up recipe of the usual length.
name: package-{number:04d}
summary: Made-up package number {number}, for reading tracks of particles in liquid argon
homepage: https://example.org/package-{number:04d}
license: BSD-3-Clause
versions:
{versions}options:
  threads: {{default: true, summary: run on several cores}}
  cxxstd: {{values: ["17", "20"], default: "17", summary: standard of C++}}
dependencies:
  build: [cxx, cmake >=3.16]
  link:{" []" if not needs else ""}
{chr(10).join(needs)}
build:
  system: cmake
  args:
    - -DBUILD_SHARED_LIBS=ON
    - {{option: threads, define: USE_THREADS}}
    - {{option: cxxstd, define: CMAKE_CXX_STANDARD}}
environment:
  prepend: {{PACKAGE_DATA: share/package-{number:04d}}}
tests:
  - {{name: links, compile: tests/links.cpp, libraries: [package{number}]}}
  - {{name: version, run: "package-{number:04d} --version && test -e $PREFIX/share"}}
"""


def _load(content: bytes) -> float:
    from lode.locking import lockfile

    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        lockfile.load(content, "lode.lock")
        times.append(time.process_time() - start)
    return min(times)
