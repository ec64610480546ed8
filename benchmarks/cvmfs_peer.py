"""What `cvmfs_swissknife` takes to publish the trees of the benchmark `cvmfs`, beside Lode in the same run.

`sync` is the work of `cvmfs_server publish` and `ingest` that of `cvmfs_server ingest`, with the options that the
server script gives; its shell, mounts and waiting are left out. Without `cvmfs_swissknife` on the PATH there is nothing
to measure; with it, only root can: it keeps statistics in `/var/spool/cvmfs`.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cvmfs import REPOSITORY, TREES, cpu, plant, put, repository, seal

from lode.definitions.repository import Compression, Nesting
from lode.progress import Silent
from lode.publishing.cvmfs import manifest, objects, stratum, tarball
from lode.publishing.cvmfs.keys import SigningKey
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.serve import server

NAME = "cvmfs-peer"
PROGRAM = shutil.which("cvmfs_swissknife")
SPOOL = Path("/var/spool/cvmfs") / REPOSITORY
CHUNKS = ("-p", "-l", "4194304", "-a", "8388608", "-h", "16777216")


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return rows of name, figure, unit and limit (None: none)."""
    if PROGRAM is None or os.geteuid() != 0:
        return []
    rows: list[tuple[str, float, str, float | None]] = []
    for name, (files, megabytes, _) in TREES.items():
        with tempfile.TemporaryDirectory(prefix="lode-bench-") as home:
            rows += [
                (f"{name}: {what}", round(figure, 3), unit, limit)
                for what, figure, unit, limit in _rows(Path(home), files, megabytes)
            ]
    return rows


def _rows(home: Path, count: int, megabytes: int) -> Iterator[tuple[str, float, str, float | None]]:
    tree, old, changes = home / "union/bench/1/any-x86_64", home / "old", home / "changes"
    plant(tree, count, megabytes)
    source = seal(tree)
    there, key, cache = repository(home / "ours", Compression())
    ours = cpu(put(there, key, cache, source))
    for folder in (old, home / "empty"):
        folder.mkdir()
    with _peer(home / "sync") as peer:
        synced = peer.sync(union=home / "union", scratch=home / "union", old=old)
        shutil.copytree(home / "union", old, dirs_exist_ok=True)
        for number in range(0, count, 100):
            place = tree / f"p{number // 500}" / f"d{number % 500 // 50}" / f"f{number}"
            place.write_bytes(place.read_bytes() + b"changed")
            aside = changes / place.relative_to(home / "union")
            aside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(place, aside)
        changed_theirs = peer.sync(union=home / "union", scratch=changes, old=old)
    changed = seal(tree)
    changed_ours = cpu(put(there, key, cache, changed))
    cache.close()
    with _peer(home / "ingest") as peer:
        ingested = peer.ingest(changed, home / "tree.tar", home / "empty")
    yield ("Lode: publish", ours, "CPU s", None)
    yield ("cvmfs_swissknife sync", synced, "CPU s", None)
    yield ("cvmfs_swissknife ingest", ingested, "CPU s", None)
    yield ("Lode: publish after changing 1 %", changed_ours, "CPU s", None)
    yield ("cvmfs_swissknife sync after changing 1 %", changed_theirs, "CPU s", None)
    yield ("Lode / the best of them", ours / min(synced, ingested), "", 1 / 3)


class _Peer:
    """A repository of the reference's, which it publishes to."""

    def __init__(self, home: Path, url: str, key: SigningKey, root: str) -> None:
        self._home, self._url, self._key, self._root = home, url, key, root

    def sync(self, *, union: Path, scratch: Path, old: Path) -> float:
        """Publish what lies in `scratch` and return the CPU seconds."""
        return self._run("sync", old, union, ["-s", scratch, "-f", "overlayfs", "-T", "240", *CHUNKS])

    def ingest(self, source: Source, file: Path, old: Path) -> float:
        """Publish the tree as the tar file that Lode makes for it, and return the CPU seconds."""
        with file.open("wb") as out:
            tarball.write(source, Nesting(), out, progress=Silent())
        return self._run("ingest", old, old, ["-T", file, "-B", source.mount.strip("/")])

    def _run(self, command: str, old: Path, union: Path, more: list[object]) -> float:
        made, scratch, served = self._home / "manifest", self._home / "scratch", self._home / "served"
        scratch.mkdir(exist_ok=True)
        public = self._home / "keys" / f"{REPOSITORY}.pub"
        words = [PROGRAM, command, "-u", union, "-c", old, "-t", scratch, "-b", self._root,
                 "-r", f"local,{served}/data/txn,{served}", "-w", self._url, "-o", made, "-K", public,
                 "-N", REPOSITORY, *more]  # fmt: skip
        spent = _children(lambda: subprocess.run([str(word) for word in words], check=True, capture_output=True))
        body = made.read_bytes()
        name = objects.name_of(body).encode()
        (served / manifest.KEY).write_bytes(body + b"--\n" + name + b"\n" + self._key.sign(name))
        self._root = body[1:41].decode()
        return spent


@contextmanager
def _peer(home: Path) -> Iterator[_Peer]:
    """Yield an empty repository, served, that the reference can publish to."""
    there, key, cache = repository(home, Compression(engine="zlib", level=6))
    cache.close()
    SPOOL.mkdir(parents=True, exist_ok=True)
    for number in range(256):
        (home / "served/data" / f"{number:02x}").mkdir(exist_ok=True)
    (home / "served/data/txn").mkdir(exist_ok=True)
    with server(home / "served", REPOSITORY, port=0) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{web.server_address[1]}/cvmfs/{REPOSITORY}"
        try:
            yield _Peer(home, url, key, stratum.read(there).manifest.root)
        finally:
            web.shutdown()
            thread.join()
            shutil.rmtree(SPOOL)


def _children(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the processes that `work` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
