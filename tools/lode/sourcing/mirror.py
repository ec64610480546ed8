"""A mirror: the folder that keeps sources by their hash, in the layout that Spack asks a source mirror for.

Only whole, checked files have such a name:
what is on its way lies below `.lode/partial`, on the same file system.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lode.digest import Digest
from lode.locking.graph import LockedSource
from lode.rendering.mirror import relative_path
from lode.sourcing.access import Interrupted, storing

_LOCK_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Mirror:
    """A folder of sources by hash; it need not exist before the first file is put there."""

    root: Path

    def path(self, source: LockedSource) -> Path:
        """Return where the source's bytes belong, whether they are there or not."""
        return self.root / relative_path(source)

    def find(self, source: LockedSource) -> Path | None:
        """Return the file with the source's bytes, maybe under another extension; None if there is none."""
        path = self.path(source)
        if path.is_file():
            return path
        same = sorted(path.parent.glob(f"{source.sha256}*")) if path.parent.is_dir() else []
        return next((other for other in same if other.is_file()), None)

    def has(self, source: LockedSource) -> bool:
        """Return whether a file stands for the source; whether its bytes are right is checked when it is read."""
        return self.find(source) is not None

    def partial(self, sha256: Digest) -> Path:
        """Return the file that takes the bytes of `sha256` while they arrive; its folder exists afterwards."""
        path = self.root / ".lode" / "partial" / f"{sha256}.part"
        with storing(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def place(self, part: Path, source: LockedSource) -> Path:
        """Give the whole and checked file `part` its final name at once, and return that."""
        path = self.path(source)
        with storing(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.chmod(0o644)
            os.replace(part, path)
            _sync(path.parent)
        return path

    @contextlib.contextmanager
    def held(self, sha256: Digest, stop: threading.Event) -> Iterator[None]:
        """Hold the right to fetch `sha256`, against other processes too; Interrupted once `stop` is set."""
        import filelock

        path = self.root / ".lode" / "locks" / f"{sha256}.lock"
        with storing(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path)
        while not lock.is_locked:
            if stop.is_set():
                raise Interrupted
            with storing(self.root), contextlib.suppress(filelock.Timeout):
                lock.acquire(timeout=_LOCK_POLL_S)
        try:
            yield
        finally:
            lock.release()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
