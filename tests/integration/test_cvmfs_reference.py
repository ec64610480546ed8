"""A repository's whole life before the tools of CernVM-FS itself: check, scrub, a Stratum 1, a mounted client."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.integration.cernvm import (
    SWISSKNIFE,
    Client,
    Stratum1,
    check,
    compare,
    mounted,
    needs_client,
    needs_tools,
    run,
    scrub,
    serving,
)
from tests.publishing.cvmfs.ground import FQRN, MOUNT, MTIME, REPOSITORY, Ground, plant, seal, source

from lode.definitions.repository import Retention
from lode.progress import Silent
from lode.publishing.cvmfs import gc, keys, proof, resign, revisions, stratum
from lode.publishing.cvmfs.proof import Depth

pytestmark = pytest.mark.integration

OTHER, LATER = MOUNT.replace("debian12", "el9"), MOUNT.replace("2026.11", "2027.1")
VARIANT = "LODE_VARIANT"


def tree(folder: Path, name: str = "tree", **more: bytes) -> Path:
    """Make a tree with a bit of all that a tree may hold."""
    root = folder / name
    if root.exists():
        return root
    latin, german, line = "na\udcffme", "fünf\u2008Größen", "two\nlines"
    files: dict[str, bytes | str | None] = {
        "bin/tool": b"1",
        "bin/link": "tool",
        "bin/dangling": "../no/such/$HOME",
        "lib/python3/a": b"2",
        "lib/python3/pkg/b": b"",
        "big": os.urandom(300_000),
        "even": b"\0" * (1 << 18),
        "empty": None,
        "none": b"",
        f"{latin}/{latin}": b"not UTF-8",
        f"{german}/{german}": "../none",
        f"{line}/'{line}\"": b"3",
        "x" * 255: b"4",
        **{name.replace("__", "/"): content for name, content in more.items()},
    }
    files |= {f"{cut}/{number}": b"%d" % number for cut in (latin, german) for number in range(120)}
    plant(root, files, extra=300)
    (root / "bin/tool").chmod(0o555)
    (root / "bin/twin").hardlink_to(root / "bin/tool")
    (root / "lib/twin").hardlink_to(root / "bin/tool")
    seal(root)
    return root


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """Return a repository without a tree, with keys of its own, that keeps no revision but the present one and tags."""
    strict = dataclasses.replace(REPOSITORY, retention=Retention(days=0, revisions=1))
    return Ground(tmp_path / "ground", tmp_path / "keys", strict).create(now())


@pytest.fixture
def url(ground: Ground) -> Iterator[str]:
    with serving(ground.folder, FQRN) as url:
        yield url


def renew(ground: Ground) -> None:
    request = resign.request(ground.stratum(), ground.key.certificate, now=now())
    resign.install(ground.stratum(), resign.sign(request, ground.master), now=now())


def life(ground: Ground, folder: Path) -> Iterator[Mapping[str, Path]]:
    """Take the repository through all that is done to one, and yield after each step which tree lies where."""
    first, second = tree(folder, "first"), tree(folder, "second", lib__new=b"5", bin__more=b"6")
    (second / "big").write_bytes(os.urandom(400_000))
    (second / "none").unlink()
    seal(second)
    ground.publish(source(first), source(first, OTHER), tags={"first": "as it began"}, now=now())
    yield {MOUNT: first, OTHER: first}
    ground.publish(source(second), now=now())
    yield {MOUNT: second, OTHER: first}
    ground.publish(source(second, LATER), now=now(), remove=[OTHER])
    yield {MOUNT: second, LATER: second}
    revisions.rollback(ground.stratum(), ground.key, "first", now=now())
    yield {MOUNT: first, OTHER: first}
    assert gc.collect(ground.stratum(), now=now(), dry_run=False, progress=Silent()).removed > 0
    yield {MOUNT: first, OTHER: first}
    keys.rotate(ground.files, now=now())
    ground.key = keys.load_signing(ground.files, None)
    renew(ground)
    yield {MOUNT: first, OTHER: first}
    ground.publish(source(second), source(second, LATER), tags={"second": ""}, now=now())
    renew(ground)  # names the new certificate only
    yield {MOUNT: second, OTHER: first, LATER: second}
    revisions.untag(ground.stratum(), ground.key, "first", now=now())
    ground.publish(now=now(), remove=[OTHER])
    gc.collect(ground.stratum(), now=now(), dry_run=False, progress=Silent())
    yield {MOUNT: second, LATER: second}
    ground.publish(now=now(), remove=[MOUNT, LATER])
    yield {}


@needs_tools
def test_check_and_scrub_find_nothing_wrong_after_each_step(ground: Ground, url: str, tmp_path: Path) -> None:
    for _ in life(ground, tmp_path):
        scrub(ground.folder)
        check(url, FQRN, ground.files.public, tmp_path)
        for tag in run(SWISSKNIFE, "tag_list", "-w", url, "-t", tmp_path, "-p", ground.files.public, "-f", FQRN,
                       "-x").splitlines():  # fmt: skip
            check(ground.folder, FQRN, ground.files.public, tmp_path, "-n", tag.split()[0])


@needs_tools
def test_stratum_1_follows_each_step(ground: Ground, url: str, tmp_path: Path) -> None:
    copy = Stratum1(tmp_path / "stratum1", FQRN, ground.files.public)
    for _ in life(ground, tmp_path):
        copy.snapshot(url)
        scrub(copy.folder)
        with serving(copy.folder, FQRN) as own:
            check(own, FQRN, ground.files.public, tmp_path, "-R", copy.reflog)


@needs_tools
def test_stratum_1_that_slept_misses_nothing(ground: Ground, url: str, tmp_path: Path) -> None:
    copy = Stratum1(tmp_path / "stratum1", FQRN, ground.files.public)
    steps = life(ground, tmp_path)
    next(steps)
    copy.snapshot(url)
    assert [len(trees) for trees in steps][-1] == 0
    copy.snapshot(url)
    with serving(copy.folder, FQRN) as own:
        check(own, FQRN, ground.files.public, tmp_path, "-R", copy.reflog)


@needs_client
def test_client_follows_each_step(ground: Ground, url: str, tmp_path: Path) -> None:
    settings = {"CVMFS_SERVER_URL": url, "CVMFS_PUBLIC_KEY": ground.files.public, VARIANT: "el9-x86_64"}
    with ExitStack() as stack:
        client: Client | None = None
        for trees in life(ground, tmp_path):
            if client is None:
                client = stack.enter_context(mounted(tmp_path / "client", FQRN, settings))
            client.renew()
            assert client.revision == stratum.read(ground.stratum()).manifest.revision
            assert trees_in(client.root) == set(trees)
            for mount, root in trees.items():
                shown = client.root / mount[1:]
                assert compare(shown, root, mtime=MTIME) > 550
                found = proof.mounted(shown, shown / ".lode/inventory.jsonl", depth=Depth(jobs=2), progress=Silent())
                assert found.whole


def trees_in(root: Path) -> set[str]:
    """Return the paths of the trees in a mounted repository, each once: not through the links beside them."""
    return {f"/{path.parent.relative_to(root)}" for path in root.glob("*/*/*/.lode") if path.resolve() == path}


@needs_client
def test_client_reads_all_from_a_stratum_1(ground: Ground, url: str, tmp_path: Path) -> None:
    trees = next(life(ground, tmp_path))
    copy = Stratum1(tmp_path / "stratum1", FQRN, ground.files.public)
    copy.snapshot(url)
    with serving(copy.folder, FQRN) as own:
        settings = {"CVMFS_SERVER_URL": own, "CVMFS_PUBLIC_KEY": ground.files.public}
        with mounted(tmp_path / "client", FQRN, settings) as client:
            assert compare(client.root / MOUNT[1:], trees[MOUNT], mtime=MTIME) > 550


@needs_client
def test_client_mounts_a_tag(ground: Ground, url: str, tmp_path: Path) -> None:
    steps = life(ground, tmp_path)
    first = next(steps)
    next(steps)
    settings = {"CVMFS_SERVER_URL": url, "CVMFS_PUBLIC_KEY": ground.files.public, "CVMFS_REPOSITORY_TAG": "first"}
    with mounted(tmp_path / "client", FQRN, settings) as client:
        assert compare(client.root / MOUNT[1:], first[MOUNT], mtime=MTIME) > 550


@needs_client
@pytest.mark.parametrize(("chosen", "leads"), [({}, "debian12-x86_64"), ({VARIANT: "el9-x86_64"}, "el9-x86_64")])
def test_client_resolves_the_links_beside_the_trees(
    ground: Ground, url: str, tmp_path: Path, chosen: Mapping[str, str], leads: str
) -> None:
    next(life(ground, tmp_path))
    settings = {"CVMFS_SERVER_URL": url, "CVMFS_PUBLIC_KEY": ground.files.public, **chosen}
    with mounted(tmp_path / "client", FQRN, settings) as client:
        assert (client.root / "mini/current").readlink() == Path("2026.11")
        assert (client.root / "mini/current/host").readlink() == Path(leads)
        assert (client.root / "mini/current/host/bin/tool").read_bytes() == b"1"
