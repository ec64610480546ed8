"""A repository gateway of CernVM-FS and its publishers for the tests, where the real programs are installed.

Gateway and publishers are machines of their own: each has its own mounts, /etc, /var and /srv, all share a network that
has nothing but the loopback interface, and nothing is left when the test ends. The programs are those in /usr/bin,
where `cvmfs_server` looks for them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.publishing.cvmfs.ground import REPOSITORY, source

from lode.errors import LodeError, PublicationError
from lode.progress import Silent
from lode.publishing.cvmfs import server
from lode.publishing.cvmfs.server import Server

ROOT = Path(__file__).resolve().parents[2]

NAME = "gateway.example.org"
KEYS = {"alpha": "/", "beta": "/"}  # a publisher's key, and the path that it may lease
_HTTP, _GATEWAY = 8000, 4929
SERVED = f"http://127.0.0.1:{_HTTP}/cvmfs/{NAME}"
API = f"http://127.0.0.1:{_GATEWAY}/api/v1"
_PROGRAMS = ("cvmfs_server", "cvmfs_publish", "cvmfs_swissknife", "cvmfs2", "cvmfs_receiver", "cvmfs_gateway")
_TOOLS = ("unshare", "nsenter", "attr", "lsof", "curl", "openssl")
missing = [name for name in _PROGRAMS if not Path("/usr/bin", name).is_file()]
missing += [name for name in _TOOLS if shutil.which(name) is None]
missing += [str(path) for path in (Path("/dev/fuse"), Path("/cvmfs"), Path("/etc/cvmfs")) if not path.exists()]
needs_gateway = pytest.mark.skipif(
    bool(missing) or os.geteuid() != 0,
    reason=f"not here: {', '.join(missing)}" if missing else "a gateway and its publishers need root",
)

_OWN = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")

# A machine's own file systems. Neither systemd nor Apache is asked for anything: the test serves the repository itself.
_MACHINE = """\
set -e
mount -t tmpfs machine "$1"
for folder in etc var srv; do
    mkdir "$1/$folder" "$1/$folder.work"
    mount -t overlay -o "lowerdir=/$folder,upperdir=$1/$folder,workdir=$1/$folder.work" "$folder" "/$folder"
done
mkdir -p /var/spool/cvmfs /etc/cvmfs/keys /etc/cvmfs/repositories.d /etc/apache2 /etc/httpd /srv/cvmfs /var/lib/cvmfs
mount -t tmpfs spool /var/spool/cvmfs
mount -t tmpfs repositories /cvmfs
if [ -e /bin/systemctl ]; then mount --bind /dev/null /bin/systemctl; fi
for service in /sbin/service /usr/sbin/service; do
    if [ -e $service ]; then mount --bind /bin/true $service; break; fi
done
echo ready
exec sleep infinity
"""


class Machine:
    """A machine of the house, on which programs are run as root."""

    def __init__(self, name: str, home: Path, inside: Sequence[str]) -> None:
        home.mkdir()
        self.name = name
        self._keeper = subprocess.Popen(
            [*inside, *_OWN, "sh", "-c", _MACHINE, "sh", str(home)],
            stdout=subprocess.PIPE,
        )
        _ready(self._keeper)
        self._first = _child(_child(self._keeper.pid))
        self._inside = _inside(self._first)

    def start(self, *argv: object, **more: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*self._inside, *map(str, argv)], **more)

    def run(self, *argv: object, status: int = 0) -> str:
        done = subprocess.run(
            [*self._inside, *map(str, argv)], capture_output=True, timeout=300, check=False, stdin=subprocess.DEVNULL
        )
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode == status, f"{done.returncode} on {self.name}: {said}"
        return said

    def write(self, path: str, content: str) -> None:
        done = subprocess.run([*self._inside, "sh", "-c", 'umask 077; cat > "$1"', "sh", path], input=content.encode(),
                              check=False)  # fmt: skip
        assert done.returncode == 0

    @property
    def root(self) -> Path:
        """Return the machine's root folder, as it is seen from here."""
        return Path(f"/proc/{self._first}/root")


@dataclass(frozen=True)
class House:
    """The gateway with its repository, and two publishers that share it."""

    gateway: Machine
    alpha: Machine
    beta: Machine
    serving: Gateway

    def restart(self, *, paths: Mapping[str, str] = KEYS, **settings: object) -> None:
        """Start the gateway anew: which paths the keys may lease, and settings of its user configuration."""
        self.stop()
        self.serving.start(paths, settings)

    def stop(self) -> None:
        """Stop the gateway; what it has leased stays so."""
        self.serving.stop()

    def leases(self) -> dict[str, Any]:
        """Return what the gateway has leased, by path."""
        return json.loads(self.alpha.run("curl", "-sf", f"{API}/leases"))["data"]  # type: ignore[no-any-return]


@contextmanager
def house(home: Path) -> Iterator[House]:
    """Make the machines, the repository and the gateway below `home`; nothing of them outlives the block."""
    home.mkdir()
    anchor = subprocess.Popen(
        [*_OWN, "--net", "sh", "-c", "ip link set lo up; echo ready; exec sleep infinity"], stdout=subprocess.PIPE
    )
    try:
        _ready(anchor)
        inside = _inside(_child(anchor.pid))
        gateway, alpha, beta = (Machine(name, home / name, inside) for name in ("gateway", "alpha", "beta"))
        gateway.start(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", "/srv", _HTTP,
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        gateway.run("cvmfs_server", "mkfs", "-p", "-w", SERVED, "-o", "root", NAME)
        serving = Gateway(gateway)
        serving.start(KEYS, {})
        for machine in (alpha, beta):
            keys = home / f"keys-{machine.name}"
            keys.mkdir()
            for kind in ("crt", "pub"):
                (keys / f"{NAME}.{kind}").write_bytes((gateway.root / f"etc/cvmfs/keys/{NAME}.{kind}").read_bytes())
            (keys / f"{NAME}.gw").write_text(f"plain_text {machine.name} {machine.name}-secret\n")
            upstream = f"gw,/srv/cvmfs/{NAME}/data/txn,{API}"
            machine.run("mkdir", "-p", f"/srv/cvmfs/{NAME}/data/txn")
            machine.run("cvmfs_server", "mkfs", "-w", SERVED, "-u", upstream, "-k", keys, "-o", "root", NAME)
        yield House(gateway, alpha, beta, serving)
    finally:
        anchor.kill()
        anchor.wait()


class Gateway:
    """The gateway's service."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, paths: Mapping[str, str], settings: Mapping[str, object]) -> None:
        keys = {**dict.fromkeys(paths, False), "operator": True}
        access = {
            "version": 2,
            "repos": [{"domain": NAME, "keys": [{"id": key, "path": path} for key, path in paths.items()]}],
            "keys": [
                {"type": "plain_text", "id": key, "secret": f"{key}-secret", "admin": admin}
                for key, admin in keys.items()
            ],
        }
        usual = {"max_lease_time": 7200, "port": _GATEWAY, "receiver_path": "/usr/bin/cvmfs_receiver",
                 "work_dir": "/var/lib/cvmfs-gateway", "num_receivers": 1}  # fmt: skip
        self._machine.run("mkdir", "-p", "/etc/cvmfs/gateway", "/var/lib/cvmfs-gateway")
        self._machine.write("/etc/cvmfs/gateway/repo.json", json.dumps(access))
        self._machine.write("/etc/cvmfs/gateway/user.json", json.dumps({**usual, **settings}))
        self._process = self._machine.start("cvmfs_gateway", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while self._machine.start("curl", "-sf", API, stdout=subprocess.DEVNULL).wait():
            assert time.monotonic() < deadline, "the gateway does not answer"
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None:
            os.kill(_child(self._process.pid), signal.SIGTERM)
            self._process.wait()
        self._process = None


def _ready(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdout is not None
    assert keeper.stdout.readline() == b"ready\n", "namespaces, mounts or overlayfs cannot be had here"


def _inside(process: int) -> list[str]:
    return ["nsenter", "--target", str(process), "--mount", "--net", "--pid"]


def _child(process: int) -> int:
    """Return the process that `unshare --fork` or `nsenter --pid` has started and waits for."""
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(child)


def publish(machine: Machine, trees: Mapping[str, Path], *options: str, tags: Sequence[str] = ()) -> tuple[str, ...]:
    """Publish each tree at its place, on `machine`, as `lode cvmfs server --lease` does; return what was published."""
    return tuple(json.loads(machine.run(*publisher(trees, *options, tags=tags)))["changed"])


def refused(machine: Machine, trees: Mapping[str, Path], *options: str, tags: Sequence[str] = ()) -> str:
    """Return what is said when that is refused."""
    return machine.run(*publisher(trees, *options, tags=tags), status=PublicationError.status).strip()


def publisher(trees: Mapping[str, Path], *options: str, tags: Sequence[str] = ()) -> list[str]:
    """Return the command line of a publisher that has `options`: its kind, whether it waits."""
    asked = json.dumps({"trees": {mount: str(root) for mount, root in trees.items()}, "tags": list(tags)})
    return ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tests.integration.gateway", asked, *options]


def send(process: subprocess.Popen[bytes], *signals: signal.Signals) -> None:
    """Send signals to a program that a machine has started."""
    child = _child(process.pid)
    for number in signals:
        os.kill(child, number)
        if number is signal.SIGCONT:
            process.send_signal(number)  # nsenter stops with its child


def _main(asked: str, *options: str) -> int:
    """Publish, print what was done as JSON or what is wrong as text, and return the exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    wanted = json.loads(asked)
    sources = [source(Path(root), mount) for mount, root in wanted["trees"].items()]
    there = Server(name=NAME, nesting=REPOSITORY.nesting, mounted=Path("/cvmfs") / NAME, lease=True,
                   wait_s=60 if "wait" in options else 0)  # fmt: skip
    try:
        if "ingest" in options:
            done = server.ingest(there, sources, tags=wanted["tags"], work=Path("/var/tmp/ingest"), progress=Silent())
        else:
            done = server.transaction(there, sources, tags=wanted["tags"], progress=Silent())
    except LodeError as error:
        sys.stdout.write(f"{error}\n")
        return error.status
    sys.stdout.write(json.dumps(asdict(done)))
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
