"""Publishing through `cvmfs_server`: a stand-in that keeps its contract, and the real one where it is."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.integration import cernvm
from tests.integration.test_cvmfs_reference import tree as tree_of_all
from tests.publishing.cvmfs.ground import FQRN, MOUNT, MTIME, REPOSITORY, plant, seal, source

from lode.errors import HostError, PublicationError, UsageError
from lode.progress import Silent
from lode.publishing.cvmfs import bundle, server
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.server import Server

pytestmark = pytest.mark.integration

# Keeps the contract: no publication without a transaction, none open twice, only `abort` or `publish` ends one; what
# was changed in a transaction is taken back by `abort`; `ingest` opens and ends its own. Fails at the command FAIL.
# With GATEWAY a transaction leases a path whose parent must be there; BUSY has leased all, and MEANWHILE is published
# by another publisher and shown once `mount` is called.
FAKE = r"""
import json, os, shutil, subprocess, sys
home = os.path.dirname(os.path.abspath(__file__))
state = os.path.join(home, "state.json")
held = json.load(open(state)) if os.path.exists(state) else {"calls": [], "open": None, "revision": 1, "tags": []}
command, rest = sys.argv[1], sys.argv[2:]
name, mounted, kept = os.environ["FQRN"], os.path.join(home, "mounted"), os.path.join(home, "kept")
held["calls"].append([command, *rest])
status, failing = 0, os.environ.get("FAIL") == command
def fail(text, code=1):
    global status
    print(text, file=sys.stderr)
    status = code
def begin():
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(mounted, kept, symlinks=True)
def undo():
    shutil.rmtree(mounted)
    shutil.copytree(kept, mounted, symlinks=True)
if "REFUSE" in os.environ and command == os.environ["REFUSE"]:
    print(os.environ["OUT"])
    fail(os.environ["ERR"])
elif command == "transaction":
    parent = os.path.dirname(os.path.join(*rest[-1].split("/")[1:] or "x"))
    if held["open"]:
        fail("CernVM-FS transaction error: another transaction is already open", 17)
    elif "BUSY" in os.environ:
        print("Path busy. Time remaining = " + os.environ["BUSY"])
        fail("CernVM-FS transaction error: lease path busy", 16)
    elif "GATEWAY" in os.environ and not os.path.isdir(os.path.join(mounted, parent)):
        fail("CernVM-FS transaction error: cannot open transaction on non-existing path /" + parent, 2)
    elif failing:
        fail("cannot establish writable mountpoint")
    else:
        begin()
        held["open"] = rest[-1]
elif command == "publish":
    if not held["open"]:
        fail("repository is not in a transaction")
    elif failing:
        fail("catalog update failed\ncleaning up")
    else:
        held["open"], held["revision"] = None, held["revision"] + 1
        if "-a" in rest:
            held["tags"].append(rest[rest.index("-a") + 1])
elif command == "abort":
    if held["open"]:
        undo()
    elif held["open"] is None:
        fail("repository is not in a transaction")
    held["open"] = None
elif command == "ingest":
    options = dict(zip(rest[:-1:2], rest[1:-1:2]))
    if {"--delete", "--tar_file"} <= set(options):
        print("catalog for file '" + options["--base_dir"] + "/.cvmfscatalog' cannot be found", file=sys.stderr)
        sys.exit(1)
    begin()
    if "--delete" in options:
        shutil.rmtree(os.path.join(mounted, options["--delete"]))
    if "--tar_file" in options:
        place = os.path.join(mounted, options["--base_dir"])
        os.makedirs(place)
        subprocess.run(["tar", "-xf", options["--tar_file"], "-C", place, "--no-same-owner"], check=True)
    if failing:
        undo()
        fail("failed to ingest")
    else:
        held["revision"] += 1
elif command == "mount":
    if "MEANWHILE" in os.environ:
        shutil.copytree(os.environ["MEANWHILE"], mounted, symlinks=True, dirs_exist_ok=True)
        begin()
elif command == "tag":
    held["tags"].append(rest[rest.index("-a") + 1])
json.dump(held, open(state, "w"))
sys.exit(status)
"""


class Fake:
    """A repository with the stand-in, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.mounted = folder / "mounted"
        self.mounted.mkdir(parents=True)
        (self.mounted / "other").write_text("of somebody else")
        (folder / "fake.py").write_text(FAKE)
        self.program = folder / "cvmfs_server"
        self.program.write_text(f'#!/bin/sh\nexec {sys.executable} {folder}/fake.py "$@"\n')
        self.program.chmod(0o755)
        self._state = folder / "state.json"

    @property
    def asked(self) -> bool:
        return self._state.exists()

    @property
    def state(self) -> Any:
        return json.loads(self._state.read_text())

    def there(self, *, lease: bool = False) -> Server:
        return Server(
            name=FQRN, nesting=REPOSITORY.nesting, mounted=self.mounted, program=str(self.program), lease=lease
        )


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.setenv("FQRN", FQRN)
    return Fake(tmp_path / "stratum0")


@pytest.fixture
def tree(tmp_path: Path) -> Source:
    return source(plant(tmp_path / "tree", {"bin/tool": b"1", "bin/link": "tool", "lib/python3/a": b"2"}, extra=150))


def listed(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*")}


def test_transaction_publishes_all_trees_at_once_and_tags(fake: Fake, tree: Source, tmp_path: Path) -> None:
    other = source(plant(tmp_path / "other", {"x": b"3"}), MOUNT.replace("debian12", "el9"))
    done = server.transaction(fake.there(), [tree, other], tags=["one"], progress=Silent())
    assert done.changed == (tree.mount, other.mount)
    assert fake.state["calls"] == [
        ["transaction", FQRN],
        ["publish", "-a", "one", "-m", "published-by-Lode", FQRN],
    ]
    place = fake.mounted / MOUNT[1:]
    markers = {".cvmfscatalog", "lib/python3/.cvmfscatalog", "share/.cvmfscatalog"}
    assert listed(place) == listed(tree.root) | markers
    assert {path.lstat().st_mtime for path in (place, *place.rglob("*"))} == {tree.mtime}
    again = server.transaction(fake.there(), [tree, other], tags=[], progress=Silent())
    assert (again.changed, fake.state["revision"]) == ((), 2)


@pytest.fixture
def gateway(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.setenv("GATEWAY", "1")
    return fake


def test_gateway_leases_the_folder_above_the_trees(gateway: Fake, tree: Source, tmp_path: Path) -> None:
    other = source(plant(tmp_path / "other", {"x": b"3"}), MOUNT.replace("debian12", "el9"))
    (gateway.mounted / "mini").mkdir()
    server.transaction(gateway.there(lease=True), [tree, other], tags=[], progress=Silent())
    assert gateway.state["calls"][0] == ["transaction", f"{FQRN}/mini/2026.11"]


@pytest.mark.parametrize(
    ("there", "leased"), [("", "/mini"), ("mini", "/mini/2026.11"), ("mini/2026.11", MOUNT), (MOUNT[1:], MOUNT)]
)
def test_gateway_leases_a_path_whose_parent_is_there(gateway: Fake, tree: Source, there: str, leased: str) -> None:
    (gateway.mounted / there).mkdir(parents=True, exist_ok=True)
    server.transaction(gateway.there(lease=True), [tree], tags=["one"], progress=Silent())
    assert gateway.state["calls"] == [
        ["transaction", FQRN + leased],
        ["mount", FQRN],
        ["publish", "-a", "one", "-m", "published-by-Lode", FQRN],
        ["mount", FQRN],
    ]


def test_gateway_leases_all_for_trees_of_two_stacks(gateway: Fake, tree: Source, tmp_path: Path) -> None:
    other = source(plant(tmp_path / "other", {"x": b"3"}), "/other-stack/1/el9-x86_64")
    server.transaction(gateway.there(lease=True), [tree, other], tags=[], progress=Silent())
    assert gateway.state["calls"][0] == ["transaction", FQRN]


def test_gateway_gives_back_the_lease_of_a_tree_that_another_has_published(
    gateway: Fake, tree: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile = tmp_path / "meanwhile"
    shutil.copytree(tree.root, meanwhile / MOUNT[1:], symlinks=True)
    monkeypatch.setenv("MEANWHILE", str(meanwhile))
    done = server.transaction(gateway.there(lease=True), [tree], tags=[], progress=Silent())
    assert (done.changed, done.unchanged) == ((), (MOUNT,))
    assert [call[0] for call in gateway.state["calls"]] == ["transaction", "mount", "abort"]


def test_lease_of_another_publisher_is_told(gateway: Fake, tree: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUSY", "1h59m3.199414088s")
    with pytest.raises(PublicationError) as error:
        server.transaction(gateway.there(lease=True), [tree], tags=[], progress=Silent())
    assert str(error.value) == (
        f"the gateway has leased /mini of {FQRN}, or a folder in or above it, to another publisher\n"
        "  hint: call again when that one has published, or give --wait SECONDS; a lease that is not given back ends "
        "in 1h59m3s"
    )
    assert [call[0] for call in gateway.state["calls"]] == ["transaction"]


NO_SESSION = "(unexpected termination) cannot parse session token\n\nStacktrace:\n/usr/bin/cvmfs_publish(+0xda01)"
NO_ANSWER = (
    "Make lease acquire request failed: 7. Reply: \n(unexpected termination) cannot acquire lease\n\nStacktrace:"
)
NO_LEASE = 'SessionContext::DoUpload - error reply: {"reason":"invalid lease","status":"error"}\nKilled'


@pytest.mark.parametrize(
    ("command", "out", "err", "told"),
    [
        (
            "transaction", "Error: 'authorization error: invalid_path'", NO_SESSION,
            f"the gateway does not lease /mini of {FQRN} to this publisher: authorization error: invalid_path\n"
            f"  hint: ask its operator which paths the key in /etc/cvmfs/keys/{FQRN}.gw may lease",
        ),
        (
            "transaction", "", NO_ANSWER,
            f"the gateway of {FQRN} does not answer\n"
            f"  hint: look whether it runs where /etc/cvmfs/repositories.d/{FQRN}/server.conf says: "
            "CVMFS_UPSTREAM_STORAGE",
        ),
        (
            "publish", "Committing file catalogs...", NO_LEASE,
            "the lease ended before all was published\n"
            "  hint: nothing was published; call again. The gateway's operator has cancelled it, or lets leases end "
            "too soon: max_lease_time",
        ),
        (
            "publish", "", "Synchronization failed\n\nExecuted Command:\ncvmfs_swissknife sync -u /cvmfs",
            f"`PROGRAM publish {FQRN}` failed with status 1\n  hint: it said: Synchronization failed",
        ),
    ],
)  # fmt: skip
def test_refusal_of_a_gateway_is_told(
    gateway: Fake, tree: Source, monkeypatch: pytest.MonkeyPatch, command: str, out: str, err: str, told: str
) -> None:
    for name, value in (("REFUSE", command), ("OUT", out), ("ERR", err)):
        monkeypatch.setenv(name, value)
    with pytest.raises(PublicationError) as error:
        server.transaction(gateway.there(lease=True), [tree], tags=[], progress=Silent())
    assert str(error.value) == told.replace("PROGRAM", str(gateway.program))
    assert gateway.state["open"] is None


def test_waiting_is_left_to_the_program(gateway: Fake, tree: Source) -> None:
    server.transaction(dataclasses.replace(gateway.there(lease=True), wait_s=60), [tree], tags=[], progress=Silent())
    assert gateway.state["calls"][0] == ["transaction", "-t", "60", f"{FQRN}/mini"]


def test_gateway_refuses_a_second_name_before_all_else(gateway: Fake, tree: Source) -> None:
    with pytest.raises(UsageError, match="a gateway gives a revision one name"):
        server.transaction(gateway.there(lease=True), [tree], tags=["one", "two"], progress=Silent())
    assert not gateway.asked


def test_ingest_refuses_what_it_cannot_do(gateway: Fake, tree: Source, tmp_path: Path) -> None:
    there = gateway.there(lease=True)
    with pytest.raises(UsageError, match="`ingest` gives no name to a revision that a gateway makes"):
        server.ingest(there, [tree], tags=["one"], work=tmp_path / "s", progress=Silent())
    with pytest.raises(UsageError, match="`ingest` does not wait for other publishers"):
        server.ingest(dataclasses.replace(there, wait_s=1), [tree], tags=[], work=tmp_path / "s", progress=Silent())
    assert not gateway.asked


def test_gateway_is_given_the_folder_that_ingest_needs(gateway: Fake, tree: Source, tmp_path: Path) -> None:
    server.ingest(gateway.there(lease=True), [tree], tags=[], work=tmp_path / "s", progress=Silent())
    assert [call[:2] for call in gateway.state["calls"] if call[0] != "mount"] == [
        ["transaction", f"{FQRN}/mini"], ["publish", FQRN], ["ingest", "--tar_file"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "behind"),
    [
        ("CVMFS_UPSTREAM_STORAGE=gw,/srv/cvmfs/x/data/txn,http://gw.example.org:4929/api/v1", True),
        ('CVMFS_UPSTREAM_STORAGE="gw,/srv/cvmfs/x/data/txn,http://gw.example.org:4929/api/v1"', True),
        ("CVMFS_UPSTREAM_STORAGE=local,/srv/cvmfs/x/data/txn,/srv/cvmfs/x", False),
        ("CVMFS_UPSTREAM_STORAGE=gw,a,b\nCVMFS_UPSTREAM_STORAGE=local,a,b", False),  # the last one counts
        ("CVMFS_USER=root", False),
    ],
)
def test_gateway_is_known_by_the_configuration(tmp_path: Path, line: str, behind: bool) -> None:
    assert not server.behind_gateway(FQRN, tmp_path)
    (tmp_path / FQRN).mkdir()
    (tmp_path / FQRN / "server.conf").write_text(f"CVMFS_REPOSITORY_NAME={FQRN}\n{line}\n")
    assert server.behind_gateway(FQRN, tmp_path) is behind


def test_ingest_takes_one_tar_file_a_tree_and_replaces_what_is_there(fake: Fake, tree: Source, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    done = server.ingest(fake.there(), [tree], tags=["one"], work=scratch, progress=Silent())
    assert (done.changed, list(scratch.iterdir())) == ((MOUNT,), [])
    new = source(plant(tmp_path / "new", {"bin/tool": b"2"}))
    server.ingest(fake.there(), [new], tags=[], work=scratch, progress=Silent())
    assert listed(fake.mounted / MOUNT[1:]) == listed(new.root) | {".cvmfscatalog"}
    assert [call[1] for call in fake.state["calls"] if call[0] == "ingest"] == ["--tar_file", "--delete", "--tar_file"]


@pytest.mark.parametrize("failing", ["transaction", "publish", "ingest"])
def test_whatever_fails_is_aborted(
    fake: Fake, tree: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    monkeypatch.setenv("FAIL", failing)
    before = listed(fake.mounted)
    work = partial(server.ingest, work=tmp_path / "s") if failing == "ingest" else server.transaction
    with pytest.raises(PublicationError, match=f"`{fake.program} {failing} .*failed with status 1"):
        work(fake.there(), [tree], tags=["one"], progress=Silent())
    assert (listed(fake.mounted), fake.state["open"], fake.state["tags"]) == (before, None, [])
    monkeypatch.delenv("FAIL")
    assert server.transaction(fake.there(), [tree], tags=[], progress=Silent()).changed == (MOUNT,)


def test_tree_that_changed_is_aborted(fake: Fake, tree: Source) -> None:
    (tree.root / "bin/tool").write_bytes(b"2")
    before = listed(fake.mounted)
    with pytest.raises(PublicationError) as error:
        server.transaction(fake.there(), [tree], tags=[], progress=Silent())
    assert str(error.value) == (
        "the tree is not what its inventory says: changed  bin/tool (content)\n"
        "  hint: something wrote to the tree; install it again. Nothing was published"
    )
    assert (listed(fake.mounted), [call[0] for call in fake.state["calls"]]) == (before, ["transaction", "abort"])


def test_transaction_of_somebody_else_is_left_alone(fake: Fake, tree: Source) -> None:
    subprocess.run([fake.program, "transaction", FQRN], check=True)
    with pytest.raises(PublicationError) as error:
        server.transaction(fake.there(), [tree], tags=[], progress=Silent())
    assert str(error.value) == (
        f"a transaction on {FQRN} is open on this machine\n"
        "  hint: wait for its end (--wait SECONDS); when nobody is at it, a publisher was killed: "
        f"`{fake.program} abort -f {FQRN}` takes back what it did"
    )
    assert fake.state["open"] == FQRN


def test_missing_program_is_told(tree: Source, tmp_path: Path) -> None:
    there = Server(name=FQRN, nesting=REPOSITORY.nesting, mounted=tmp_path, program="no-such-cvmfs_server")
    with pytest.raises(HostError) as error:
        server.transaction(there, [tree], tags=[], progress=Silent())
    assert str(error.value) == (
        "no-such-cvmfs_server is not here\n  hint: run this on the repository's Stratum 0, or hand over a bundle"
    )


STRATUM0 = os.environ.get("LODE_CVMFS_STRATUM0", "")  # a repository of this machine whose /mini belongs to the tests
real = pytest.mark.skipif(
    shutil.which("cvmfs_server") is None or not STRATUM0,
    reason="cvmfs_server is not installed, or LODE_CVMFS_STRATUM0 names no repository of this machine",
)


@pytest.fixture
def stratum0() -> Server:
    """Return the real program's repository, with no release in it."""
    there = Server(name=STRATUM0, nesting=REPOSITORY.nesting, mounted=Path("/cvmfs") / STRATUM0)
    if (there.mounted / "mini").exists():
        cernvm.run("cvmfs_server", "ingest", "--delete", "mini", STRATUM0)
    return there


def same(there: Server, *sources: Source) -> None:
    """Compare what the program shows with the trees, and have its own check look at all of it."""
    for one in sources:
        assert cernvm.compare(there.mounted / one.mount[1:], one.root, mtime=MTIME) > 500
    assert "no problems found" in cernvm.run("cvmfs_server", "check", there.name)


@real
def test_real_program_publishes_replaces_and_tags_in_a_transaction(stratum0: Server, tmp_path: Path) -> None:
    first, second = tree_of_all(tmp_path, "first"), tree_of_all(tmp_path, "second", lib__new=b"5")
    server.transaction(stratum0, [source(first)], tags=[], progress=Silent())
    same(stratum0, source(first))
    both = [source(second), source(first, MOUNT.replace("debian12", "el9"))]
    tag = f"t{time.time_ns()}"  # one of no earlier run
    done = server.transaction(stratum0, both, tags=[tag], progress=Silent())
    assert (done.changed, done.unchanged) == (tuple(one.mount for one in both), ())
    same(stratum0, *both)
    assert tag in cernvm.run("cvmfs_server", "tag", "-l", stratum0.name)
    assert server.transaction(stratum0, both, tags=[], progress=Silent()).changed == ()


@real
def test_real_program_ingests_and_replaces(stratum0: Server, tmp_path: Path) -> None:
    first, second = tree_of_all(tmp_path, "first"), tree_of_all(tmp_path, "second", lib__new=b"5")
    (second / "none").unlink()
    seal(second)
    for root in (first, second):
        server.ingest(stratum0, [source(root)], tags=[], work=tmp_path / "scratch", progress=Silent())
        same(stratum0, source(root))


@real
def test_real_program_takes_nothing_of_a_tree_that_changed(stratum0: Server, tmp_path: Path) -> None:
    first = tree_of_all(tmp_path, "first")
    server.transaction(stratum0, [source(first)], tags=[], progress=Silent())
    second = source(tree_of_all(tmp_path, "second"))
    work = partial(server.ingest, work=tmp_path / "scratch")
    for publish in (server.transaction, work):
        (second.root / "lib/python3/a").write_bytes(b"changed")
        with pytest.raises(PublicationError, match="inventory"):
            publish(stratum0, [second], tags=[], progress=Silent())
        same(stratum0, source(first))


@real
def test_real_program_takes_a_bundle_as_its_page_says(stratum0: Server, tmp_path: Path) -> None:
    root = tree_of_all(tmp_path, "first")
    repository = dataclasses.replace(REPOSITORY, name=STRATUM0)
    file = tmp_path / "bundle.tar"
    bundle.write(source(root), repository, file, plan="", signature=None, progress=Silent())
    cernvm.run("tar", "-xf", file, "-C", tmp_path)
    page = (tmp_path / bundle.README).read_text().splitlines()
    commands = [line.removeprefix("$ ") for line in page if line.startswith("$ ") and "tag" not in line]
    assert [command.split()[0] for command in commands] == ["sha256sum", "cvmfs_server"]
    (remove,) = (line.strip("`.") for line in page if "--delete" in line)
    for command in [*commands, remove, *commands]:
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    same(stratum0, source(root))
