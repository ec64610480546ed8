"""A container engine and a registry of the tests' own, from Debian's packages: started on demand, stopped at the end.

The fixtures are in the conftest, so that a run of the tests has one of each.
A program that is missing, or does not start here, skips the test, except in CI, where it fails.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

STARTING_S = 90  # on a loaded machine


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRegistry:
    """A running registry, without TLS, on a port of the loopback interface."""

    host: str  # `127.0.0.1:PORT`
    folder: Path  # what it stores


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A running Docker daemon with its own socket and data; containers get no network but the machine's own."""

    socket: Path

    @property
    def address(self) -> str:
        """Return the value of DOCKER_HOST."""
        return f"unix://{self.socket}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of a `docker` that asks this daemon, as a user without settings."""
        config = str(self.socket.parent / "client")
        return {**os.environ, "DOCKER_HOST": self.address, "DOCKER_CONFIG": config, "DOCKER_BUILDKIT": "0"}

    def docker(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Return what `docker ARGUMENTS…` did; AssertionError with its words when it failed and `check`."""
        done = subprocess.run(
            ["docker", *arguments], env=self.environment, capture_output=True, text=True, timeout=540, check=False
        )
        assert not check or done.returncode == 0, f"docker {arguments}: {done.stdout}{done.stderr}"
        return done


def program(name: str, package: str) -> str:
    """Return the path of a program of a Debian package that ci/debian-packages.txt names; skip without it."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        missing(f"{name} is not installed: apt-get install {package}")
    return found


def missing(why: str) -> NoReturn:
    """Skip the test; fail it for root in CI, where everything is to be there."""
    if os.environ.get("CI") and os.geteuid() == 0:
        pytest.fail(why)
    pytest.skip(why)


@contextlib.contextmanager
def running(argv: Sequence[str], log: Path, ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; AssertionError with its log when it ends before it is ready."""
    with log.open("wb") as file, subprocess.Popen(argv, stdout=file, stderr=file, stdin=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + STARTING_S
            while not ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{argv[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.05)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def local_registry(folder: Path, *, extra: str = "") -> Iterator[LocalRegistry]:
    """Run Debian's docker-registry with its data in `folder`; `extra`: more lines of its configuration."""
    binary = program("docker-registry", "docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    for attempt in range(5):
        port = _free_port()
        config = folder / "config.yml"
        config.write_text(
            "version: 0.1\n"
            "log: {level: warn}\n"
            f"storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}'}}\n{extra}"
        )
        try:
            with running([binary, "serve", str(config)], folder / "registry.log", partial(_answers, port)):
                yield LocalRegistry(host=f"127.0.0.1:{port}", folder=folder / "data")
                return
        except AssertionError:
            if attempt == 4 or "address already in use" not in (folder / "registry.log").read_text(errors="replace"):
                raise  # else somebody else took the port in between


@contextlib.contextmanager
def local_engine(folder: Path) -> Iterator[Engine]:
    """Run Debian's dockerd with its data in `folder`; it makes no bridge and no firewall rule. See `missing`."""
    binary = program("dockerd", "docker.io")
    program("docker", "docker.io")
    if os.geteuid() != 0:
        pytest.skip("the Docker daemon needs root")
    folder.mkdir(parents=True, exist_ok=True)
    engine = Engine(socket=folder / "docker.sock")
    command = [binary, "--iptables=false", "--bridge=none", f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
    command += [f"--host={engine.address}", f"--pidfile={folder}/pid"]
    try:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(running(command, folder / "dockerd.log", lambda: _engine_answers(engine)))
            except AssertionError as error:
                missing(str(error))
            yield engine
    finally:
        unmount(folder)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRegistry]:
    """Return a running registry that tests share: use repositories of your own."""
    with local_registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Return a running Docker daemon that tests share: use image names of your own."""
    folder = Path(f"/tmp/lode-docker-{os.getpid()}")  # short: a socket's path has at most 107 characters
    try:
        with local_engine(folder) as found:
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _engine_answers(engine: Engine) -> bool:
    return engine.socket.exists() and engine.docker("version", check=False).returncode == 0


def unmount(folder: Path) -> None:
    """Unmount what a daemon that was killed left mounted below `folder`."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", place], check=False, capture_output=True)
