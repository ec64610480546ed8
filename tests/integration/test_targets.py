"""Systems of two Debian releases made here, and a small stack built and tested in them, in containers and without."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import pytest
from tests.integration.building import READER, READER_C, RECIPE, WAVE, WAVE_C, Collection
from tests.integration.engines import Engine, engine, program

from lode import inventory
from lode.building import roots, seal

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the targets are x86_64"),
    pytest.mark.skipif(seal.best().kind == "none", reason=f"no seal: {seal.best().reason}"),
]
__all__ = ["engine"]

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


@pytest.fixture
def host(engine: Engine) -> str:
    """Return the value of DOCKER_HOST for the tests' own engine."""
    return engine.address


def nodes(report: Any) -> dict[str, tuple[str, str, str]]:
    return {node["package"]: (node["outcome"], node["sha256"], node["seal"]) for node in report["nodes"]}


@pytest.mark.parametrize("target", TARGETS)
def test_container_and_root_file_system_build_the_same_bytes(house: House, host: str, target: str) -> None:
    house.fresh()
    contained = nodes(house.json("build", "tiny", "--target", target, DOCKER_HOST=host))
    house.fresh()
    bare = nodes(house.json("build", "tiny", "--target", target))
    assert {(outcome, seal) for outcome, _, seal in contained.values()} == {("built", "docker")}
    assert {(outcome, seal) for outcome, _, seal in bare.values()} == {("built", "rootfs")}
    assert {name: sha256 for name, (_, sha256, _) in contained.items()} == {
        name: sha256 for name, (_, sha256, _) in bare.items()
    }


def test_tests_run_in_the_runtime_of_each_target_and_the_matrix_agrees(house: House, host: str) -> None:
    for target, code in (("debian12-x86_64", "bookworm"), ("debian13-x86_64", "trixie")):
        house.json("build", "tiny", "--target", target, DOCKER_HOST=host)
        prefix = house.root / "prefix" / target
        _install(house, target, prefix)
        report = house.json("test", str(prefix), "--seal", "docker", DOCKER_HOST=host)
        (result,) = report["results"]
        assert (result["outcome"], result["message"], report["seal"]) == ("passed", "", "docker")
        assert result["output"].splitlines()[-1] == f"on {code} as lode at lode"
        assert [number["value"] for number in result["numbers"]] == [42]
        again = house.json("test", str(prefix), "--seal", "rootfs")
        assert (again["passed"], again["seal"]) == (True, "rootfs")
        folder = house.home / "releases" / "tiny" / "1" / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tests.json").write_text(json.dumps(report))
    shutil.copy(house.root / "stacks/tiny/1/lode.lock", house.home / "releases/tiny/1/lode.lock")
    (matrix,) = house.json("matrix", "tiny")
    assert matrix["agrees"] is True
    assert matrix["numbers"][0]["values"] == {"debian12-x86_64": 42.0, "debian13-x86_64": 42.0}
    assert matrix["numbers"][0]["spread"] == 0
    assert "✓ all targets agree" in (house.home / "releases/tiny/1/matrix.html").read_text()


def _install(house: House, target: str, prefix: Path) -> None:
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


def test_system_made_again_without_a_network_is_the_same(house: House) -> None:
    before = roots.find(house.home / "cache", "debian12-x86_64", "runtime")
    made = house.json("target", "build", "debian12-x86_64", "--again", "--offline")
    assert before is not None
    assert [(each["made"], each["role"]) for each in made] == [(True, "builder"), (True, "runtime")]
    assert made[1]["inventory"] == before.inventory == inventory.digest(inventory.scan(before.folder))
    assert not (before.folder / "usr/bin/gcc").exists()


def test_system_that_is_not_what_the_target_says_is_refused(house: House) -> None:
    file = house.root / "containers/targets/debian12-x86_64.yaml"
    content = file.read_text()
    try:
        file.write_text(content.replace('"12.2.0"', '"12.9.0"').replace('"2.36"', '"2.35"'))
        ended = house.lode("target", "build", "debian12-x86_64", "--again", "--offline", "--quiet")
    finally:
        file.write_text(content)
    hint = "  hint: correct what the target says, or the packages that it asks for"
    assert ended.returncode == 7
    assert ended.stderr == (
        f"debian12-x86_64 builder: its C library is 2.36, the target says 2.35\n{hint}\n"
        f"debian12-x86_64 builder: /usr/bin/gcc is 12.2.0, the target says 12.9.0\n{hint}\n"
    )
    assert roots.find(house.home / "cache", "debian12-x86_64", "builder") is not None


def test_killed_making_of_a_system_leaves_the_old_one_and_nothing_after_the_next(house: House) -> None:
    before = roots.find(house.home / "cache", "debian12-x86_64", "builder")
    targets = house.kept / "targets"
    for installing in (False, True):
        command = house.command("target", "build", "debian12-x86_64", "--again", "--offline", "--quiet")
        running = subprocess.Popen(
            command, env=house.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while not any(not installing or any(folder.iterdir()) for folder in targets.glob(".lode-target-*[!k]")):
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.kill()
        running.wait()
        assert list(targets.glob(".lode-*"))
        assert roots.find(house.home / "cache", "debian12-x86_64", "builder") == before
    house.json("target", "build", "debian12-x86_64", "--again", "--offline")
    assert list(targets.glob("**/.lode-*")) == []
    assert roots.find(house.home / "cache", "debian12-x86_64", "builder") == before


def test_container_of_a_killed_build_is_removed_by_the_next(house: House, host: str, engine: Engine) -> None:
    house.fresh()
    recipe = house.root / "recipes/wave/recipe.yaml"
    content = recipe.read_text()
    slow = content.replace("    $CC $CFLAGS", "    sleep 300\n    $CC $CFLAGS", 1)
    assert slow != content
    try:
        recipe.write_text(slow)
        assert house.lode("lock", "tiny").returncode == 0
        command = house.command("build", "tiny", "--target", "debian13-x86_64")
        running = subprocess.Popen(
            command, env=house.environment(DOCKER_HOST=host), cwd=house.root,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        log = house.home / "cache" / "work"
        deadline = time.monotonic() + 120
        while not any("==> building" in file.read_text() for file in log.glob("wave-*/log")):
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        running.kill()
        running.wait()
        assert engine.docker("ps", "--quiet").stdout.split()
    finally:
        recipe.write_text(content)
    assert house.lode("lock", "tiny").returncode == 0
    house.json("build", "tiny", "--target", "debian13-x86_64", DOCKER_HOST=host)
    assert engine.docker("ps", "--all", "--quiet").stdout.split() == []


def test_base_image_that_cannot_be_pulled_is_said(house: House, host: str) -> None:
    target = TARGET.format(**TARGETS["debian12-x86_64"]).replace("debian12-", "other12-")
    digest = "0" * 64
    file = house.root / "containers/targets/other12-x86_64.yaml"
    file.write_text(target.replace("{suite: bookworm}", f"{{image: 'localhost:9/none@sha256:{digest}'}}"))
    try:
        ended = house.lode("target", "update", "other12-x86_64", "--quiet", DOCKER_HOST=host)
        without = house.lode("target", "update", "other12-x86_64", "--quiet", DOCKER_HOST="unix:///nowhere.sock")
    finally:
        file.unlink()
    assert ended.returncode == 10
    assert ended.stderr.startswith(f"the base image localhost:9/none@sha256:{digest} cannot be pulled here: ")
    assert without.stderr == (
        "no Docker Engine answers at unix:///nowhere.sock: No such file or directory\n"
        "  hint: start dockerd, or name its socket in DOCKER_HOST\n"
    )
