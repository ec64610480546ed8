"""Publishing through `cvmfs_server`: a stand-in that keeps its contract, and the real one where it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.integration import cernvm
from tests.integration.test_cvmfs_reference import tree as tree_of_all
from tests.publishing.cvmfs.ground import FQRN, MOUNT, MTIME, REPOSITORY, plant, seal, source

from lode.errors import HostError, PublicationError
from lode.progress import Silent
from lode.publishing.cvmfs import bundle, server
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.server import Server

pytestmark = pytest.mark.integration

# Keeps the contract: no publication without a transaction, none open twice, only `abort` or `publish` ends one; what
# was changed in a transaction is taken back by `abort`; `ingest` opens and ends its own. Fails at the command FAIL.
FAKE = r"""
import json, os, shutil, subprocess, sys
home = os.path.dirname(os.path.abspath(__file__))
state = os.path.join(home, "state.json")
held = json.load(open(state)) if os.path.exists(state) else {"calls": [], "open": None, "revision": 1, "tags": []}
command, rest = sys.argv[1], sys.argv[2:]
name, mounted, kept = os.environ["FQRN"], os.path.join(home, "mounted"), os.path.join(home, "kept")
held["calls"].append([command, *rest])
status, failing = 0, os.environ.get("FAIL") == command
def fail(text):
    global status
    print(text, file=sys.stderr)
    status = 1
def begin():
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(mounted, kept, symlinks=True)
def undo():
    shutil.rmtree(mounted)
    shutil.copytree(kept, mounted, symlinks=True)
if command == "transaction":
    if held["open"]:
        fail("another transaction is already open")
    elif failing:
        fail("cannot acquire lease")
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
    assert [call[0] for call in fake.state["calls"]] == ["transaction", "publish", "tag"]
    place = fake.mounted / MOUNT[1:]
    markers = {".cvmfscatalog", "lib/python3/.cvmfscatalog", "share/.cvmfscatalog"}
    assert listed(place) == listed(tree.root) | markers
    assert {path.lstat().st_mtime for path in (place, *place.rglob("*"))} == {tree.mtime}
    again = server.transaction(fake.there(), [tree, other], tags=[], progress=Silent())
    assert (again.changed, fake.state["revision"]) == ((), 2)


def test_gateway_leases_the_folder_above_the_trees(fake: Fake, tree: Source, tmp_path: Path) -> None:
    other = source(plant(tmp_path / "other", {"x": b"3"}), MOUNT.replace("debian12", "el9"))
    server.transaction(fake.there(lease=True), [tree, other], tags=[], progress=Silent())
    assert fake.state["calls"][0] == ["transaction", f"{FQRN}/mini/2026.11"]


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
    assert error.value.faults[0].hint == "it said: another transaction is already open"
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
    repository = replace(REPOSITORY, name=STRATUM0)
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
