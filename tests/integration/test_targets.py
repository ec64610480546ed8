"""Systems of two Debian releases made here, and a small stack built and tested in them, in containers and without."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.integration.engines import Engine
from tests.integration.house import TARGET, TARGETS, House, house, install, nodes

from lode import inventory
from lode.building import roots, seal
from lode.sourcing.origins import debian

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the targets are x86_64"),
    pytest.mark.skipif(seal.best().kind == "none", reason=f"no seal: {seal.best().reason}"),
]
__all__ = ["house"]


@pytest.fixture
def host(engine: Engine) -> str:
    """Return the value of DOCKER_HOST for the tests' own engine."""
    return engine.address


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
        install(house, target, prefix)
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


def test_snapshot_is_taken_below_the_mirror_that_the_target_names(house: House) -> None:
    """A server on the loopback interface stands in for the archive of the past: it sends on to the one of today."""
    archive = debian.usual_mirror()
    asked: list[str] = []

    class Past(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            there = self.path.removeprefix("/past/20261101T000000Z/")
            self.send_response(404 if there == self.path else 302)
            self.send_header("Location", f"{archive}/{there}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    file = house.root / "containers/targets/past12-x86_64.yaml"
    text = TARGET.format(**TARGETS["debian12-x86_64"]).replace("name: debian12-", "name: past12-")
    with ThreadingHTTPServer(("127.0.0.1", 0), Past) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mirror = f"http://127.0.0.1:{server.server_port}/past/"
        base = f"{{suite: bookworm, snapshot: 20261101T000000Z, mirror: '{mirror}'}}"
        try:
            file.write_text(text.replace("{suite: bookworm}", base))
            ended = house.lode("target", "update", "past12-x86_64")
            assert ended.returncode == 0, ended.stderr
            lock = file.with_suffix(".lock").read_text()
            file.write_text(text.replace("{suite: bookworm}", base.replace("/past/", "/nothing/")))
            gone = house.lode("target", "update", "past12-x86_64", "--quiet")
        finally:
            server.shutdown()
            file.unlink()
            file.with_suffix(".lock").unlink(missing_ok=True)
    assert "/past/20261101T000000Z/dists/bookworm/InRelease" in asked
    usual = file.with_name("debian12-x86_64.lock").read_text()
    assert lock.splitlines()[4:] == usual.splitlines()[4:]  # the same packages
    assert mirror not in lock
    assert gone.returncode == 10
    at = mirror.replace("/past/", "/nothing/20261101T000000Z")
    assert gone.stderr.startswith(f"the archive {at} cannot be read for bookworm: ")


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
