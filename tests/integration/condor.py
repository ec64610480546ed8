"""A personal pool of HTCondor for the tests: Debian's packages, unpacked and patched to find their libraries.

Its daemons and jobs run in a user namespace in which the caller has another number than root, since HTCondor takes no
jobs of root, and in a mount namespace with a list of users that knows that number. Nothing is installed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.integration.newer import unpacked
from tests.integration.waiting import free_port, wait_for

SUITE = "trixie"  # the first of Debian's suites that has HTCondor 23
UID = 2001
CONDOR_CONFIG = """\
RELEASE_DIR = {programs}/usr
LIBEXEC = $(RELEASE_DIR)/libexec/condor
SHARE = $(RELEASE_DIR)/share/condor
LIB = $(RELEASE_DIR)/lib/condor
LOCAL_DIR = {home}
LOCAL_CONFIG_FILE =
LOCAL_CONFIG_DIR =
RUN = $(LOCAL_DIR)/run
LOG = $(LOCAL_DIR)/log
LOCK = $(LOCAL_DIR)/lock
SPOOL = $(LOCAL_DIR)/spool
EXECUTE = $(LOCAL_DIR)/execute
SEC_PASSWORD_DIRECTORY = $(LOCAL_DIR)/passwords
SEC_TOKEN_SYSTEM_DIRECTORY = $(LOCAL_DIR)/tokens
DAEMON_LIST = MASTER, COLLECTOR, NEGOTIATOR, SCHEDD, STARTD
SEC_DEFAULT_AUTHENTICATION_METHODS = FS
CONDOR_HOST = 127.0.0.1
COLLECTOR_HOST = 127.0.0.1:{port}
SHARED_PORT_PORT = {port}
NETWORK_INTERFACE = 127.0.0.1
BIND_ALL_INTERFACES = False
ENABLE_IPV6 = False
UID_DOMAIN = local
FILESYSTEM_DOMAIN = local
TRUST_UID_DOMAIN = True
ALLOW_READ = *
ALLOW_WRITE = tester@local
ALLOW_DAEMON = tester@local
ALLOW_NEGOTIATOR = tester@local
ALLOW_ADMINISTRATOR = tester@local
DOCKER =
MAIL = /bin/true
NUM_CPUS = 2
MEMORY = 16000
START = True
RUNBENCHMARKS = False
BASE_CGROUP =
NEGOTIATOR_INTERVAL = 2
NEGOTIATOR_CYCLE_DELAY = 1
SCHEDD_INTERVAL = 2
DAGMAN_USER_LOG_SCAN_INTERVAL = 1
DAGMAN_USE_STRICT = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A running pool, and where the programs of its users are."""

    programs: Path
    settings: Path  # what CONDOR_CONFIG names
    inside: int  # a process in the namespaces of the pool

    def run(self, *words: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a program in `folder` as the user of the pool, and return how it ended."""
        enter = [f"--target={self.inside}", "--mount", "--user", "--preserve-credentials", f"--wd={folder}"]
        known = {"CONDOR_CONFIG": str(self.settings), "PATH": f"{self.programs}:{environment['PATH']}"}
        return subprocess.run(
            ["nsenter", *enter, *words],
            env=environment | known,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a tree with HTCondor's programs, which find their libraries in it."""
    for program in ("patchelf", "nsenter", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    if os.geteuid() != 0:
        pytest.skip("the namespaces of HTCondor's pool are made by root")
    root = tmp_path_factory.mktemp("htcondor")
    shutil.copytree(unpacked("condor", SUITE, whole=True), root, symlinks=True, dirs_exist_ok=True)
    folder = root / "usr/lib/x86_64-linux-gnu"
    found = ["--set-interpreter", str(folder / "ld-linux-x86-64.so.2"), "--force-rpath", "--set-rpath"]
    own = [file for top in ("bin", "sbin", "libexec/condor") for file in (root / "usr" / top).glob("condor_*")]
    for file in own:
        if file.is_file() and not file.is_symlink() and file.read_bytes()[:4] == b"\x7fELF":
            words = ["patchelf", *found, f"{root}/usr/lib:{folder}", str(file)]
            subprocess.run(words, check=True, timeout=60, capture_output=True)
    (root / "programs").mkdir()
    for file in (root / "usr/bin").glob("condor_*"):
        (root / "programs" / file.name).symlink_to(file)
    return root


@pytest.fixture
def pool(programs: Path, tmp_path: Path) -> Iterator[Pool]:
    """Yield a pool of this machine alone, which is stopped afterwards."""
    home = tmp_path / "pool"
    for name in ("run", "log", "lock", "spool", "execute", "passwords", "tokens"):
        (home / name).mkdir(parents=True)
    settings = home / "condor_config"
    settings.write_text(CONDOR_CONFIG.format(programs=programs, home=home, port=free_port()))
    users = home / "passwd"
    users.write_text(f"{Path('/etc/passwd').read_text()}tester:x:{UID}:{UID}::{home}:/bin/sh\n")
    start = (
        f'mount --bind "{users}" /etc/passwd && '
        f'exec unshare --user --map-user={UID} --map-group={UID} "{programs}/usr/sbin/condor_master" -f'
    )
    master = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", start],
        env={"CONDOR_CONFIG": str(settings), "PATH": os.environ["PATH"]},
        stdout=(home / "master.out").open("wb"),
        stderr=subprocess.STDOUT,
    )
    made = Pool(programs=programs / "programs", settings=settings, inside=master.pid)

    def ready() -> bool:
        assert master.poll() is None, (home / "master.out").read_text()
        environment = {"PATH": os.environ["PATH"]}
        return made.run("condor_status", "-af", "State", environment=environment, folder=home).stdout == "Unclaimed\n"

    try:
        wait_for(ready, "the machine of HTCondor's pool is not there")
        yield made
    finally:
        master.send_signal(signal.SIGQUIT)  # its jobs are stopped at once
        master.wait(timeout=60)
