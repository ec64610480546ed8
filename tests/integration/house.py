"""A small stack for two Debian releases, whose systems are made here, kept between runs, and shared by tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import pytest
from tests.integration.building import READER, READER_C, RECIPE, WAVE, WAVE_C, Collection
from tests.integration.engines import program

STACK = """\
name: tiny
release: "1"
date: 2026-11-01
summary: Small packages
targets: [debian12-x86_64, debian13-x86_64]
requirements: [reader]
tests:
  - name: waves
    prepare: $CC_HERE -o user tests/user.c -I"$PREFIX/include" -L"$PREFIX/lib" -Wl,-rpath,"$PREFIX/lib" -lwave
    run: |
      if command -v gcc; then echo "the runtime has a compiler" >&2; exit 1; fi
      ./user >"$LODE_NUMBERS"
      . /etc/os-release
      echo "on $VERSION_CODENAME as $(id -un) at $(hostname)"
    files: [tests/user.c]
    numbers: references/waves.json
    tolerance: 1e-9
publish: {cvmfs: tiny.example.org}
"""
USER_C = (
    '#include <wave.h>\n#include <stdio.h>\nint main(void) { printf("{\\"wave\\": %d}\\n", wave(14)); return 0; }\n'
)
TARGET = """\
name: debian{version}-x86_64
os: debian
os_version: "{version}"
arch: x86_64
base: {{suite: {suite}}}
compiler: {{name: gcc, version: "{gcc}", languages: [c]}}
glibc: "{glibc}"
libstdcxx: "{libstdcxx}"
microarchitecture: x86-64
system_packages: [gcc, libc6-dev, libstdc++6]
runtime_packages: [libc6, libstdc++6]
system_libraries: [ld-linux-x86-64.so.2, libc.so.6, libm.so.6]
"""
TARGETS = {
    "debian12-x86_64": {"version": "12", "suite": "bookworm", "gcc": "12.2.0", "glibc": "2.36", "libstdcxx": "3.4.30"},
    "debian13-x86_64": {"version": "13", "suite": "trixie", "gcc": "14.2.0", "glibc": "2.41", "libstdcxx": "3.4.33"},
}


class House(Collection):
    """The collection of the tiny stack with its own targets; systems and OS packages are kept between test runs."""

    def __init__(self, root: Path, kept: Path) -> None:
        super().__init__(root)
        self.kept = kept

    def target(self, *, glibc: str = "", gcc: str | None = None) -> None:
        folder = self.root / "containers" / "targets"
        folder.mkdir(parents=True, exist_ok=True)
        for name, fields in TARGETS.items():
            (folder / f"{name}.yaml").write_text(TARGET.format(**fields))

    def environment(self, **variables: str) -> dict[str, str]:
        return {**super().environment(), "LODE_MIRROR": str(self.kept / "mirror"), "DOCKER_HOST": "", **variables}

    def json(self, *arguments: str, status: int = 0, **variables: str) -> Any:
        ended = self.lode(*arguments, "--json", **variables)
        assert ended.returncode == status, f"{arguments}: {ended.stdout}{ended.stderr}"
        return json.loads(ended.stdout)

    def fresh(self) -> None:
        """Forget all nodes that were built, but not the systems."""
        for name in ("nodes", "packages"):
            shutil.rmtree(self.home / "cache" / name, ignore_errors=True)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Return the collection, its systems made or taken from an earlier run of the tests on this machine."""
    program("mmdebstrap", "mmdebstrap")
    kept = Path(tempfile.gettempdir()) / f"lode-tests-{os.getuid()}"
    kept.mkdir(exist_ok=True)
    root = tmp_path_factory.mktemp("house")
    made = House(root, kept)
    for name, content in {
        "recipes/wave/src/wave.c": WAVE_C,
        "recipes/wave/recipe.yaml": _recipe("wave", WAVE),
        "recipes/reader/src/reader.c": READER_C,
        "recipes/reader/recipe.yaml": _recipe("reader", READER, link="wave"),
        "stacks/tiny/1/stack.yaml": STACK.replace("$CC_HERE", "gcc"),
        "stacks/tiny/1/tests/user.c": USER_C,
        "stacks/tiny/1/references/waves.json": '{"wave": {"value": 42, "unit": "m", "source": "three times fourteen"}}',
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    with filelock.FileLock(kept / "lock"):
        for name in TARGETS:
            ended = made.lode("target", "update", name)
            if ended.returncode == 10 and "cannot be read" in ended.stderr:
                pytest.skip(f"Debian's archive is out of reach: {ended.stderr.splitlines()[-2]}")
            assert ended.returncode == 0, ended.stderr
        (made.home / "cache").mkdir(parents=True)
        (kept / "targets").mkdir(exist_ok=True)
        (made.home / "cache" / "targets").symlink_to(kept / "targets")
        for name in TARGETS:
            ended = made.lode("target", "build", name)
            assert ended.returncode == 0, ended.stderr
        assert made.lode("lock", "tiny").returncode == 0
        yield made


def _recipe(name: str, script: str, *, link: str = "") -> str:
    lines = "\n".join(f"    {line}" for line in script.strip().splitlines())
    return RECIPE.format(name=name, link=link, build="c", script=lines)


def nodes(report: Any) -> dict[str, tuple[str, str, str]]:
    return {node["package"]: (node["outcome"], node["sha256"], node["seal"]) for node in report["nodes"]}


def install(house: House, target: str, prefix: Path) -> None:
    """Lay down the prefix of the tiny stack as `lode release` does."""
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom lode import config\nfrom lode.building.cache import Cache\n"
        "from lode.definitions.catalogue import Catalogue\nfrom lode.progress import Silent\n"
        "from lode.workflow.lock import locked\nfrom lode.workflow.prefix import prefix\n"
        "target, root, here = sys.argv[1:]\ncatalogue = Catalogue.open([Path(here)], here=None)\n"
        "lock = locked(catalogue, 'tiny')\ncache = Cache(config.places(os.environ).cache)\n"
        "artifacts = [cache.get(node.hashes[target]) for node in lock.nodes]\n"
        "prefix(lock, catalogue, target, artifacts, Path(root), progress=Silent())\n"
    )
    prefix.parent.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run(
        [house.command()[0], "-c", script, target, str(prefix), str(house.root)],
        env=house.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
