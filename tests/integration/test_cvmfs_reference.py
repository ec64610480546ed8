"""The tools of CernVM-FS itself, where they are: its check, scrub, a copy to a Stratum 1, and a mount of its client."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.cvmfs.ground import FQRN, MOUNT, MTIME, NOW, Ground, plant, source

from lode.progress import Silent
from lode.publishing.cvmfs import proof, resign
from lode.publishing.cvmfs.proof import Depth
from lode.publishing.cvmfs.serve import server

pytestmark = pytest.mark.integration

SWISSKNIFE = shutil.which("cvmfs_swissknife")
CLIENT = shutil.which("cvmfs2")
needs_tools = pytest.mark.skipif(SWISSKNIFE is None, reason="cvmfs_swissknife is not installed")
needs_client = pytest.mark.skipif(
    CLIENT is None or not Path("/dev/fuse").exists() or os.geteuid() != 0,
    reason="cvmfs2 is not installed, or cannot mount here",
)


@pytest.fixture
def ground(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Return a repository with two revisions, a tag, chunks and nested catalogs; its whitelist holds today."""
    made = Ground(tmp_path / "ground", tmp_path_factory.mktemp("keys") / "keys").create()
    made.publish(source(plant(tmp_path / "old", {"a": b"1"})), tags={"old": ""})
    made.publish(source(tree(tmp_path)))
    now = datetime.datetime.now(datetime.UTC)
    text = resign.request(made.stratum(), made.key.certificate, now=now)
    resign.install(made.stratum(), resign.sign(text, made.master), now=now)
    return made


def tree(folder: Path) -> Path:
    root = folder / "tree"
    if root.exists():
        return root
    files: dict[str, bytes | str | None] = {
        "bin/tool": b"1",
        "bin/link": "tool",
        "lib/python3/a": b"2",
        "big": os.urandom(300_000),
        "empty": None,
        "none": b"",
    }
    return plant(root, {**files, "na\udcffme": b"not UTF-8"}, extra=300)


def run(*argv: object) -> str:
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def url(ground: Ground) -> Iterator[str]:
    with server(ground.folder, FQRN, port=0) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/cvmfs/{FQRN}"
        serving.shutdown()
        thread.join()


@needs_tools
@pytest.mark.parametrize("tag", ["trunk", "old"])
def test_check_finds_nothing_wrong(ground: Ground, tmp_path: Path, tag: str) -> None:
    run(SWISSKNIFE, "check", "-r", ground.folder, "-c", "-n", tag, "-N", FQRN, "-k", ground.files.public,
        "-t", tmp_path)  # fmt: skip


@needs_tools
def test_check_over_http_follows_the_signatures(ground: Ground, url: str, tmp_path: Path) -> None:
    run(SWISSKNIFE, "check", "-r", url, "-c", "-N", FQRN, "-k", ground.files.public, "-t", tmp_path)


@needs_tools
def test_scrub_finds_every_object_at_its_hash(ground: Ground) -> None:
    run(SWISSKNIFE, "scrub", "-r", ground.folder / "data")


@needs_tools
def test_stratum_1_copies_all_of_it(ground: Ground, url: str, tmp_path: Path) -> None:
    copy, scratch = tmp_path / "stratum1", tmp_path / "scratch"
    for folder in (copy / "data" / "txn", scratch):
        folder.mkdir(parents=True)
    for number in range(256):
        (copy / "data" / f"{number:02x}").mkdir()
    run(SWISSKNIFE, "pull", "-m", FQRN, "-u", url, "-r", f"local,{copy}/data/txn,{copy}", "-x", scratch,
        "-k", ground.files.public, "-n", "2", "-t", "20", "-a", "2", "-i")  # fmt: skip
    mounted = reader.mount(lambda path: (copy / path).read_bytes(), ground.public, FQRN, now=NOW)
    reader.compare(mounted, MOUNT, tree(tmp_path), mtime=MTIME)


@pytest.fixture
def mounted(ground: Ground, url: str, tmp_path: Path) -> Iterator[Path]:
    """Mount the repository with the client."""
    cache, place, config = tmp_path / "cache", tmp_path / "mounted", tmp_path / "client.conf"
    for folder in (cache, place):
        folder.mkdir()
    config.write_text(
        f"CVMFS_CACHE_BASE={cache}\nCVMFS_RELOAD_SOCKETS={cache}\nCVMFS_CLAIM_OWNERSHIP=yes\nCVMFS_USER=root\n"
        f"CVMFS_SERVER_URL={url}\nCVMFS_HTTP_PROXY=DIRECT\nCVMFS_PUBLIC_KEY={ground.files.public}\n"
        "LODE_VARIANT=debian12-x86_64\n"
    )
    run(CLIENT, "-o", f"config={config}", FQRN, place)
    yield place
    subprocess.run(["umount", place], check=False)


@needs_client
def test_client_shows_the_tree_as_it_was_published(mounted: Path) -> None:
    root = mounted / MOUNT[1:]
    found = proof.mounted(root, root / ".lode/inventory.jsonl", depth=Depth(jobs=2), progress=Silent())
    assert found.whole
    assert found.entries > 300
    assert (mounted / "mini/current").readlink() == Path("2026.11")
    assert (mounted / "mini/2026.11/host").readlink() == Path("debian12-x86_64")
