"""`lode build`: a no-op of 100 nodes, and what Lode adds to the plain commands of a node.

The no-op is the CPU time of the whole command, reading the lock included. The addition is the CPU time of the command
and of its workers for ten nodes whose script does next to nothing, by node: unpacking, environments, packing, checks.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from lode import digest
from lode.building.artifact import Artifact, BuildRecord
from lode.building.cache import Cache
from lode.digest import Digest
from lode.locking import lockfile

NAME = "build"
NODES = 100
BUILT = 10


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return both figures."""
    with tempfile.TemporaryDirectory(prefix="lode-benchmark-") as folder:
        root = Path(folder)
        target = _collection(root)
        _fill_cache(root, target)
        no_op = min(_command(root, root / "full") for _ in range(3))
        command_s = _command(root, root / "empty", "--only", f"n{BUILT - 1}", "-j", "1")
        times = [json.loads(line)[2] for line in (root / "empty/cache/times.jsonl").read_text().splitlines()]
        assert len(times) == BUILT
    return [
        (f"no-op of {NODES} nodes, CPU", no_op, "s", 0.5),
        ("addition by built node, CPU", (command_s + sum(times)) / BUILT, "s", 1.0),
    ]


def _command(root: Path, home: Path, *words: str) -> float:
    """Return the CPU seconds of `lode build` with this home."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "lode", "build", "many", "--collection", str(root), "--quiet", *words],
        env={**os.environ, "LODE_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _collection(root: Path) -> str:
    """Write a collection with a chain of packages for this machine, lock it, and return its target."""
    said = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    system, version = said["ID"].strip('"'), said["VERSION_ID"].strip('"')
    gcc = subprocess.run(["/usr/bin/gcc", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout
    target = f"{system}{version.partition('.')[0]}-{platform.machine()}"
    files = {
        "collection.yaml": 'name: many\nversion: "1"\nsummary: Many packages\n',
        f"containers/targets/{target}.yaml": (
            f"name: {target}\nos: {system}\nos_version: '{version}'\narch: {platform.machine()}\n"
            f"base: {{image: 'example.org/here@sha256:{'0' * 64}'}}\n"
            f"compiler: {{name: gcc, version: '{gcc.strip()}', languages: [c]}}\n"
            "glibc: '2.99'\nlibstdcxx: '3.4.99'\nmicroarchitecture: x86-64\nsystem_libraries: [libc.so.6]\n"
        ),
        "stacks/many/1/stack.yaml": (
            f"name: many\nrelease: '1'\ndate: 2026-11-01\nsummary: Many packages\ntargets: [{target}]\n"
            f"requirements: [{', '.join(f'n{number}' for number in range(NODES))}]\n"
            "publish: {cvmfs: many.example.org}\n"
        ),
    }
    for number in range(NODES):
        files[f"recipes/n{number}/src/README"] = "nothing to see\n"
        files[f"recipes/n{number}/recipe.yaml"] = (
            f"name: n{number}\nsummary: A package\nhomepage: https://example.org\nlicense: MIT\n"
            "versions:\n  - version: '1.0'\n    source:\n      - path: src\n"
            + (f"dependencies:\n  link: [n{number - 1}]\n" if number else "")
            + f'build:\n  system: script\n  script: cp README "$PREFIX/n{number}"\n'
        )
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    command = [sys.executable, "-m", "lode", "lock", "many", "--collection", str(root), "--quiet"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return target


def _fill_cache(root: Path, target: str) -> None:
    """Put an artifact for each node into the cache of the home `full`."""
    path = root / "stacks/many/1/lode.lock"
    lock = lockfile.load(path.read_bytes(), str(path))
    cache = Cache(root / "full" / "cache")
    for node in lock.nodes:
        file = root / f"{node.package}-1.0-h_0.conda"
        file.write_bytes(node.package.encode() * 1000)
        cache.put(
            Artifact(
                package=node.package,
                version=node.version,
                target=target,
                node_hash=node.hashes[target],
                path=file,
                sha256=digest.of_bytes(file.read_bytes()),
                inventory=Digest("0" * 64),
                record=BuildRecord(
                    seal="none",
                    seal_reason="a benchmark",
                    wall_s=1.0,
                    cpu_s=1.0,
                    peak_memory_mb=1,
                    size_bytes=file.stat().st_size,
                    started="2026-11-01T00:00:00+00:00",
                    host={},
                    tools={},
                ),
            )
        )
