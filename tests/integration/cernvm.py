"""The tools of CernVM-FS itself for the tests, where they are: its `cvmfs_swissknife`, a Stratum 1, a mounted client.

They are found on the PATH. `CVMFS_LIBRARY_PATH`, a variable of the client's own, names the folder of its libraries
where that is not `/usr/lib`.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from lode.publishing.cvmfs.serve import server

SWISSKNIFE = shutil.which("cvmfs_swissknife")
CLIENT = shutil.which("cvmfs2")
TALK = shutil.which("cvmfs_talk")
needs_tools = pytest.mark.skipif(SWISSKNIFE is None, reason="cvmfs_swissknife is not installed")
needs_client = pytest.mark.skipif(
    CLIENT is None or TALK is None or not Path("/dev/fuse").exists() or os.geteuid() != 0,
    reason="cvmfs2 and cvmfs_talk are not installed, or cannot mount here",
)


def run(*argv: object, status: int = 0) -> str:
    done = subprocess.run([str(word) for word in argv], capture_output=True, timeout=300, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == status, said
    return said


@contextmanager
def serving(folder: Path, name: str) -> Iterator[str]:
    """Serve the folder of a repository on the loopback interface and yield its URL."""
    with server(folder, name, port=0) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_address[1]}/cvmfs/{name}"
        finally:
            web.shutdown()
            thread.join()


def check(place: object, name: str, public: Path, scratch: Path, *options: object) -> None:
    """Have the whole repository, in a folder or at a URL, checked: every row, counter and object."""
    said = run(SWISSKNIFE, "check", "-r", place, "-c", "-N", name, "-k", public, "-t", scratch, *options)
    assert "no problems found" in said, said


def scrub(folder: Path) -> None:
    """Have each object of the repository in `folder` compared with its name."""
    run(SWISSKNIFE, "scrub", "-r", folder / "data")


class Stratum1:
    """A copy of a repository, kept up to date as `cvmfs_server snapshot` does it."""

    def __init__(self, home: Path, name: str, public: Path) -> None:
        self.folder, self._scratch, self._name, self._public = home / "copy", home / "scratch", name, public
        for folder in (self.folder / "data" / "txn", self._scratch):
            folder.mkdir(parents=True)
        for number in range(256):
            (self.folder / "data" / f"{number:02x}").mkdir()
        self.reflog = home / "reflog.chksum"

    def snapshot(self, url: str) -> str:
        """Copy what is new at `url`."""
        later = ("-p", "-Z", "0") if self.reflog.exists() else ("-i",)
        with serving(self.folder, self._name) as own:
            return run(SWISSKNIFE, "pull", "-m", self._name, "-u", url, "-w", own,
                       "-r", f"local,{self.folder}/data/txn,{self.folder}", "-x", self._scratch, "-k", self._public,
                       "-R", self.reflog, "-n", "2", "-t", "20", "-a", "2", *later)  # fmt: skip


class Client:
    """A repository that the client has mounted."""

    def __init__(self, root: Path, socket: Path) -> None:
        self.root, self._socket = root, socket

    def renew(self) -> str:
        """Make the client look for a new revision now."""
        return run(TALK, "-p", self._socket, "remount", "sync")

    @property
    def revision(self) -> int:
        """Return the number of the revision that the client shows."""
        return int(os.getxattr(self.root, "user.revision"))


@contextmanager
def mounted(home: Path, name: str, settings: Mapping[str, object]) -> Iterator[Client]:
    """Mount a repository with the client below `home`."""
    cache, root, file = home / "cache", home / "mounted", home / "client.conf"
    for folder in (cache, root):
        folder.mkdir(parents=True)
    own = {"CACHE_BASE": cache, "RELOAD_SOCKETS": cache, "CLAIM_OWNERSHIP": "no", "USER": "root", "SHARED_CACHE": "no",
           "HTTP_PROXY": "DIRECT", "KCACHE_TIMEOUT": 1}  # fmt: skip
    lines = {**{f"CVMFS_{key}": value for key, value in own.items()}, **settings}
    file.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    run(CLIENT, "-o", f"config={file}", name, root)
    try:
        yield Client(root, cache / name / f"cvmfs_io.{name}")
    finally:
        run("umount", "-l", root)


def compare(shown: Path, tree: Path, *, mtime: int) -> int:
    """Compare everything below `shown` with the folder `tree` byte by byte; return how many entries there are."""
    found = {path for path in listed(bytes(shown)) if path.rpartition(b"/")[2] != b".cvmfscatalog"}
    wanted = set(listed(bytes(tree)))
    assert found == wanted, sorted(found ^ wanted)[:5]
    for path in wanted:
        mine, theirs = os.path.join(bytes(shown), path), os.path.join(bytes(tree), path)
        one, other = os.lstat(mine), os.lstat(theirs)
        assert (one.st_uid, one.st_gid, one.st_mtime) == (0, 0, mtime), path
        assert stat.S_IFMT(one.st_mode) == stat.S_IFMT(other.st_mode), path
        if stat.S_ISLNK(one.st_mode):
            assert os.readlink(mine) == os.readlink(theirs), path
            continue
        assert stat.S_IMODE(one.st_mode) == stat.S_IMODE(other.st_mode), path
        if stat.S_ISREG(one.st_mode):
            assert Path(os.fsdecode(mine)).read_bytes() == Path(os.fsdecode(theirs)).read_bytes(), path
    return len(wanted)


def listed(root: bytes) -> Iterator[bytes]:
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            yield os.path.relpath(os.path.join(folder, name), root)
