"""Where a repository's files lie: the few things that a publisher asks of a place, and a folder that does them.

Keys are paths relative to the repository, `data/ab/…C` or `.cvmfspublished`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import filelock

from lode.errors import PublicationError

_PART = ".part"  # ends the name of a file that is being written
_SCRATCH = "data/txn"  # as the format has it: served by nobody, and on the file system of the objects


class Reader(Protocol):
    """A place whose bytes can be read."""

    def read(self, key: str) -> bytes | None:
        """Return what lies at `key`, None when there is nothing."""
        ...


class Storage(Reader, Protocol):
    """A place of keys and bytes. `OSError` may come out of every call; what was there before is then still there."""

    def size(self, key: str) -> int | None:
        """Return how many bytes lie at `key`, None when there is nothing."""
        ...

    def write(self, key: str, content: bytes | bytearray) -> bool:
        """Put an object at `key` unless it is there already, and return whether it was new.

        Threads of the one writer may call this at the same time.
        """
        ...

    def replace(self, key: str, content: bytes) -> None:
        """Put `content` at `key` so that every reader sees the old bytes or the new ones whole, after a crash too."""
        ...

    def delete(self, key: str) -> None:
        """Remove what lies at `key`, if anything does."""
        ...

    def listing(self) -> Iterator[tuple[str, int]]:
        """Yield key and size of all objects below `data/`, in any order."""
        ...

    def flush(self) -> None:
        """Return when all that was written would survive a loss of power."""
        ...

    def writer(self) -> AbstractContextManager[None]:
        """Return what makes the caller the only writer while it lasts; PublicationError when there is another."""
        ...


class Folder:
    """A folder that a web server serves."""

    def __init__(self, root: Path) -> None:
        """Use the folder `root`, which is made at the first write."""
        self.root = root

    def read(self, key: str) -> bytes | None:
        """Return the content of the file, None when there is none."""
        try:
            handle = os.open(f"{self.root}/{key}", os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            return _read(handle)
        finally:
            os.close(handle)

    def size(self, key: str) -> int | None:
        """Return the size of the file, None when there is none."""
        try:
            return os.stat(f"{self.root}/{key}").st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, key: str, content: bytes | bytearray) -> bool:
        """Write the file beside and rename it. One of another size is what a loss of power left: it is replaced."""
        if self.size(key) == len(content):
            return False
        self._put(key, content, durable=False)
        return True

    def replace(self, key: str, content: bytes) -> None:
        """Write the file beside, make it durable, rename it, and make the name durable."""
        self._put(key, content, durable=True)
        handle = os.open((self.root / key).parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def delete(self, key: str) -> None:
        """Remove the file."""
        (self.root / key).unlink(missing_ok=True)

    def listing(self) -> Iterator[tuple[str, int]]:
        """Yield the files of the folders `data/00` to `data/ff`."""
        data = self.root / "data"
        for folder in sorted(data.iterdir()) if data.is_dir() else ():
            if len(folder.name) == 2 and folder.is_dir():
                with os.scandir(folder) as entries:
                    yield from ((f"data/{folder.name}/{entry.name}", entry.stat().st_size) for entry in entries)

    def flush(self) -> None:
        """Write the file system's buffers: one call for a whole publication, not one for each of its objects."""
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            library = ctypes.CDLL(None, use_errno=True)
            if not hasattr(library, "syncfs"):
                os.sync()
            elif library.syncfs(handle) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), str(self.root))
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Hold a lock that ends with the process, however that ends, and sweep what a killed one left half-written."""
        scratch = self.root / _SCRATCH
        scratch.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(scratch / "writer.lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise PublicationError(
                f"another command is writing to the repository in {self.root}", hint="call again when it has ended"
            ) from None
        try:
            for left in scratch.glob(f"*{_PART}"):
                left.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def _put(self, key: str, content: bytes | bytearray, *, durable: bool) -> None:
        """Write the thread's own file in the scratch folder and rename it; the next writer sweeps a killed one's."""
        path = f"{self.root}/{key}"
        temporary = f"{self.root}/{_SCRATCH}/{threading.get_ident():x}{_PART}"
        try:
            handle = _opened(temporary)
            try:
                _write(handle, content)
                os.fchmod(handle, 0o644)
                if durable:
                    os.fsync(handle)
            finally:
                os.close(handle)
            try:
                os.replace(temporary, path)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def _read(handle: int) -> bytes:
    """Return the whole file."""
    size = os.fstat(handle).st_size
    first = os.read(handle, size + 1)
    if len(first) == size:
        return first
    parts = [first]
    while more := os.read(handle, 1 << 20):
        parts.append(more)
    return b"".join(parts)


def _opened(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o644)


def _write(handle: int, content: bytes | bytearray) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]
