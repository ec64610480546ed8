"""Publishing through a repository gateway of CernVM-FS itself: two publishers, their leases, and what ends them."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration import cernvm
from tests.integration.gateway import (
    API,
    NAME,
    House,
    Machine,
    house,
    needs_gateway,
    publish,
    publisher,
    refused,
    send,
)
from tests.integration.test_cvmfs_reference import tree
from tests.publishing.cvmfs.ground import MTIME, seal

pytestmark = [pytest.mark.integration, needs_gateway]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("gateway") / "house") as made:
        yield made


@pytest.fixture
def mount(request: pytest.FixtureRequest) -> str:
    """Return the place of a tree in a stack that no other test has."""
    return f"/{request.function.__name__.removeprefix('test_')[:40]}/2026.11/debian12-x86_64"


def shown(machine: Machine, mount: str, root: Path) -> None:
    """Compare what is mounted with the tree, and have CernVM-FS look at the whole repository."""
    assert cernvm.compare(machine.root / "cvmfs" / NAME / mount[1:], root, mtime=MTIME) > 500


def sound(site: House) -> None:
    """Have CernVM-FS look at the whole repository, which nobody has leased any part of."""
    assert site.leases() == {}
    assert "no problems found" in site.gateway.run("cvmfs_server", "check", NAME)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def halfway(site: House, machine: Machine, mount: str, root: Path) -> subprocess.Popen[bytes]:
    """Return a publisher that was stopped while it had its lease, and had begun to copy."""
    process = machine.start(*publisher({mount: root}), stdout=subprocess.PIPE)
    until((machine.root / "cvmfs" / NAME / mount[1:]).exists)
    send(process, signal.SIGSTOP)
    assert [path for path in site.leases() if mount.startswith(path.removeprefix(NAME))]
    return process


def test_publishers_share_a_repository(site: House, mount: str, tmp_path: Path) -> None:
    first, second = tree(tmp_path, "first"), tree(tmp_path, "second", lib__new=b"5")
    (second / "none").unlink()
    seal(second)
    beside = mount.replace("debian12", "el9")
    assert publish(site.alpha, {mount: first}, tags=["shared-1"]) == (mount,)
    shown(site.alpha, mount, first)
    assert publish(site.beta, {beside: second}) == (beside,)  # whose mount did not show the first
    shown(site.beta, mount, first)
    assert publish(site.alpha, {mount: second, beside: second}) == (mount,)
    shown(site.alpha, mount, second)
    assert publish(site.beta, {mount: second}) == ()
    assert publish(site.beta, {mount: first}, tags=["shared-2"]) == (mount,)
    shown(site.beta, beside, second)
    tags = site.gateway.run("cvmfs_server", "tag", "-l", "-x", NAME)
    assert {"shared-1", "shared-2"} <= {line.split()[0] for line in tags.splitlines()}
    sound(site)


def test_name_is_given_to_what_is_published_already(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    publish(site.alpha, {mount: root})
    assert publish(site.alpha, {mount: root}, tags=["later"]) == ()
    tags = site.gateway.run("cvmfs_server", "tag", "-l", "-x", NAME).splitlines()
    assert [line.split()[-1] for line in tags if line.startswith("later ")] == ["published-by-Lode"]
    assert "Tag name 'later' is already in use" in refused(site.beta, {mount: root}, tags=["later"])
    sound(site)


def test_lease_of_another_publisher_is_told_and_waited_for(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    first = halfway(site, site.alpha, mount, root)
    stack = mount.split("/")[1]
    said = refused(site.beta, {mount: root})
    assert f"the gateway has leased /{stack} of {NAME}, or a folder in or above it, to another publisher" in said
    assert "a lease that is not given back ends in 1h" in said
    waiting = site.beta.start(*publisher({mount: root}, "wait"), stdout=subprocess.PIPE)
    elsewhere = mount.replace(stack, f"another-{stack}")
    send(first, signal.SIGCONT)
    assert first.wait(120) == 0
    said = waiting.communicate(timeout=120)[0].decode()
    assert json.loads(said)["unchanged"] == [mount], said
    assert publish(site.beta, {elsewhere: root}) == (elsewhere,)
    shown(site.beta, mount, root)
    sound(site)


def test_publisher_that_waited_goes_on_from_what_the_other_published(site: House, mount: str, tmp_path: Path) -> None:
    first, second = tree(tmp_path, "first", a__x=b"1"), tree(tmp_path, "second", b__x=b"2")
    one = halfway(site, site.alpha, mount, first)
    other = site.beta.start(*publisher({mount: second}, "wait"), stdout=subprocess.PIPE)
    time.sleep(2)  # enough to have been refused the lease once
    send(one, signal.SIGCONT)
    assert one.wait(120) == 0
    said, _ = other.communicate(timeout=120)
    assert (other.returncode, json.loads(said)["changed"]) == (0, [mount]), said
    shown(site.beta, mount, second)
    sound(site)


def test_publishers_work_at_once_on_different_stacks(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    first = halfway(site, site.alpha, mount, root)
    other = f"/z{mount[1:]}"
    assert publish(site.beta, {other: root}) == (other,)
    send(first, signal.SIGCONT)
    assert first.wait(120) == 0
    shown(site.alpha, mount, root)
    shown(site.alpha, other, root)
    sound(site)


def test_killed_publisher_is_told_of_on_its_machine_and_aborted(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    send(halfway(site, site.alpha, mount, root), signal.SIGKILL)
    said = refused(site.alpha, {mount: root})
    assert f"a transaction on {NAME} is open on this machine" in said
    assert "leased" in refused(site.beta, {mount: root})
    (command,) = (words for words in said.split("`") if "abort" in words)
    site.alpha.run(*command.split())
    assert site.leases() == {}
    assert publish(site.alpha, {mount: root}) == (mount,)
    shown(site.alpha, mount, root)
    sound(site)


def test_interrupted_publisher_gives_its_lease_back(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    first = halfway(site, site.alpha, mount, root)
    send(first, signal.SIGINT, signal.SIGCONT)
    assert first.wait(120) != 0
    assert publish(site.beta, {mount: root}) == (mount,)
    sound(site)


def test_operator_cancels_the_lease_of_a_publisher_that_is_gone(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    first = halfway(site, site.alpha, mount, root)
    path = f"/api/v1/leases-by-path/{NAME}/{mount.split('/')[1]}"
    hashed = site.gateway.run("sh", "-c", f"printf %s {path} | openssl dgst -sha1 -hmac operator-secret -r").split()[0]
    mac = site.gateway.run("sh", "-c", f"printf %s {hashed} | base64 -w0").strip()
    url = API.removesuffix("/api/v1") + path
    assert '"ok"' in site.gateway.run("curl", "-s", "-X", "DELETE", "-H", f"Authorization: operator {mac}", url)
    assert publish(site.beta, {mount: root}) == (mount,)
    send(first, signal.SIGCONT)
    said, _ = first.communicate(timeout=120)
    assert first.returncode != 0
    assert b"the lease ended before all was published" in said
    assert publish(site.alpha, {mount: root}) == ()
    sound(site)


def test_lease_that_ends_too_soon_is_told(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    site.restart(max_lease_time=10)
    try:
        first = halfway(site, site.alpha, mount, root)
        until(lambda: not site.leases())
        send(first, signal.SIGCONT)
        said, _ = first.communicate(timeout=120)
        assert (first.returncode, b"the lease ended before all was published" in said) == (11, True), said
    finally:
        site.restart()
    assert publish(site.alpha, {mount: root}) == (mount,)
    sound(site)


def test_gateway_that_cannot_commit_leaves_nothing_leased(site: House, mount: str, tmp_path: Path) -> None:
    root, key = tree(tmp_path), f"/etc/cvmfs/keys/{NAME}.key"
    site.gateway.run("mv", key, f"{key}.hidden")
    said = refused(site.alpha, {mount: root})
    site.gateway.run("mv", f"{key}.hidden", key)
    assert f"`cvmfs_server publish {NAME}` failed with status 1" in said
    assert site.leases() == {}
    assert publish(site.beta, {mount: root}) == (mount,)
    shown(site.beta, mount, root)
    sound(site)


def test_gateway_that_is_gone_is_told(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    site.stop()
    try:
        said = refused(site.alpha, {mount: root})
    finally:
        site.restart()
    assert f"the gateway of {NAME} does not answer" in said
    assert publish(site.alpha, {mount: root}) == (mount,)


def test_key_that_may_not_lease_the_path_is_told(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    site.restart(paths={"beta": "/elsewhere"})
    try:
        said = refused(site.beta, {mount: root})
    finally:
        site.restart()
    assert f"of {NAME} to this publisher: authorization error: invalid_path\n" in said
    assert publish(site.beta, {mount: root}) == (mount,)


def test_nothing_is_taken_of_a_tree_that_changed(site: House, mount: str, tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "lib/python3/a").write_bytes(b"changed")
    assert "the tree is not what its inventory says" in refused(site.alpha, {mount: root})
    assert not (site.alpha.root / "cvmfs" / NAME / mount[1:]).exists()
    sound(site)


def test_gateway_ingests_and_replaces(site: House, mount: str, tmp_path: Path) -> None:
    first, second = tree(tmp_path, "first"), tree(tmp_path, "second", lib__new=b"5")
    for root in (first, second):
        assert publish(site.alpha, {mount: root}, "ingest") == (mount,)
        shown(site.alpha, mount, root)
    sound(site)
