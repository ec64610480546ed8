"""A podman of the tests' own: Debian's, whose service speaks as a Docker Engine does, and a newer one for policies."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.integration.engines import missing, program, running, unmount
from tests.integration.newer import unpacked

LIBRARIES = "usr/lib/x86_64-linux-gnu"
NEEDED = ("libc6", "libgpgme45", "libassuan9", "libgpg-error0", "libseccomp2", "libsqlite3-0", "libsubid6",
          "libselinux1", "libpcre2-8-0", "libaudit1", "libcap-ng0", "libcrypt1", "libacl1")  # fmt: skip
ROOTLESS = 65534  # the user nobody, who has no range of numbers in /etc/subuid: all of a container is that one user's


@dataclass(frozen=True, slots=True, kw_only=True)
class Podman:
    """A podman with settings and storage in a folder of its own."""

    program: str
    folder: Path
    user: int = 0  # its number

    @property
    def address(self) -> str:
        """Return the value of DOCKER_HOST for its service."""
        return f"unix://{self.folder}/podman.sock"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment that makes it use nothing of the machine's."""
        return {
            **os.environ,
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
        }

    def argv(self, *command: str) -> list[str]:
        """Return the words that run a command as its user, in its environment."""
        changed = [f"{key}={value}" for key, value in self.environment.items() if os.environ.get(key) != value]
        number = str(self.user)
        return ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "env", *changed, *command]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Return what `podman ARGUMENTS…` did."""
        argv = self.argv(self.program, *arguments)
        return subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False, cwd=self.folder)

    def configure(self, policy: dict[str, object] | None = None) -> None:
        """Write the settings: a machine with old cgroups and few rights will do. `policy`: which images it takes."""
        settings = self.folder / ".config" / "containers"
        (settings / "registries.d").mkdir(parents=True, exist_ok=True)
        (settings / "policy.json").write_text(json.dumps(policy or {"default": [{"type": "insecureAcceptAnything"}]}))
        (settings / "registries.d" / "all.yaml").write_text("default-docker: {use-sigstore-attachments: true}\n")
        (self.folder / "containers.conf").write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'
            '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
            f'helper_binaries_dir = ["/usr/lib/podman", "{self.folder}"]\n'
        )
        (self.folder / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{self.folder}/root"\nrunroot = "{self.folder}/run"\n'
        )


@contextlib.contextmanager
def service(podman: Podman) -> Iterator[Podman]:
    """Run its service while the block runs, and unmount what it leaves."""
    argv = podman.argv(podman.program, "system", "service", "--time", "0", podman.address)
    try:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(running(argv, podman.folder / "log", lambda: _answers(podman)))
            except AssertionError as error:
                missing(str(error))
            yield podman
    finally:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it keeps the user's namespaces for the next
            os.kill(int((podman.folder / "libpod" / "tmp" / "pause.pid").read_text()), signal.SIGTERM)
        unmount(podman.folder)


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    """Return Debian's podman with its service running as root; tests share it."""
    with _started(0) as made:
        yield made


@pytest.fixture(scope="session")
def rootless() -> Iterator[Podman]:
    """Return Debian's podman with its service running as a user without rights."""
    with _started(ROOTLESS) as made:
        yield made


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """Yield a podman that checks signatures as policies ask (Debian 12's does not), with libraries of its own."""
    patching = program("patchelf", "patchelf")
    if os.geteuid() != 0:
        pytest.skip("podman with a root file system of its own needs root here")
    folder = tmp_path_factory.mktemp("podman")
    libraries = [unpacked(package, "sid") / LIBRARIES for package in NEEDED]
    made = Podman(program=shutil.copy(unpacked("podman", "sid") / "usr/bin/podman", folder / "podman"), folder=folder)
    subprocess.run(
        [patching, "--set-interpreter", libraries[0] / "ld-linux-x86-64.so.2", "--force-rpath",
         "--set-rpath", ":".join(map(str, libraries)), made.program],
        check=True, timeout=60, capture_output=True,
    )  # fmt: skip
    (folder / "netavark").symlink_to("/bin/true")  # asked for before anything else; no container here has a network
    made.configure()
    started = made("--version")
    if started.returncode != 0:
        pytest.skip(f"podman of sid does not start here: {started.stderr.strip()[-200:]}")
    try:
        yield made
    finally:
        unmount(folder)


@contextlib.contextmanager
def _started(user: int) -> Iterator[Podman]:
    found, _ = program("podman", "podman"), program("runc", "runc")
    if os.geteuid() != 0:
        pytest.skip("only root can become the users of these tests")
    folder = Path(f"/tmp/lode-podman-{user}-{os.getpid()}")  # short: a socket's path has at most 107 characters
    folder.mkdir(mode=0o700)
    try:
        made = Podman(program=found, folder=folder, user=user)
        made.configure()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user)
        with service(made):
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(podman: Podman) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        transport = httpx.HTTPTransport(uds=podman.address.removeprefix("unix://"))
        with httpx.Client(transport=transport, trust_env=False) as client:
            return client.get("http://podman/_ping", timeout=10).is_success
    return False
