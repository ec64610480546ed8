"""Scratch folders that a kill does not leave for good: the next run in the same place removes what dead runs left.

Each has a lock file beside it, held with flock for as long as it is used; the kernel lets go of it with the process,
whatever ended that. Whoever can take the lock of a folder knows that nobody uses it. The lock file comes before the
folder and goes after it, so that there is no folder without one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_LOCK = re.compile(r"(\.lode-[a-z]+-[0-9a-f]{16})\.lock\Z")
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of a file system that keeps none
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.EROFS, errno.ENOENT)
_IN_USE = (errno.EAGAIN, errno.EACCES)


@contextlib.contextmanager
def folder(kind: str, parent: Path | None = None) -> Iterator[Path]:
    """Yield a new, empty folder in `parent`, which only this user may enter; it is removed at the end.

    `kind`, of the letters a to z, tells in its name what it is for. `parent` is made when it is missing; None is the
    system's own place for temporary files. What killed runs of this user left there is removed before.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    place, lock, descriptor = _held(parent, kind)
    try:
        place.mkdir(mode=0o700)
        yield place
    finally:
        remove(place)
        _unlock(place, lock)
        os.close(descriptor)


def sweep(parent: Path) -> None:
    """Remove the scratch folders in `parent` whose run is dead; what is in use, or another user's, stays."""
    with contextlib.suppress(FileNotFoundError, PermissionError), os.scandir(parent) as entries:
        for name in [match[1] for entry in entries if (match := _LOCK.match(entry.name))]:
            _sweep(parent / name, parent / f"{name}.lock")


def remove(folder: Path) -> None:
    """Remove a folder and all below it, also what a build has made read-only; one that is not there is no error."""

    def open_up(function: Callable[..., Any], path: str, _: Any) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(path), stat.S_IRWXU)
            os.chmod(path, stat.S_IRWXU)
            function(path)

    shutil.rmtree(folder, onerror=open_up)
    if folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def _held(parent: Path, kind: str) -> tuple[Path, Path, int]:
    """Return a new name in `parent`, its lock file and the descriptor that holds it."""
    while True:
        place = parent / f".lode-{kind}-{secrets.token_hex(8)}"
        lock = parent / f"{place.name}.lock"
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            lock.unlink()  # nobody could tell whether the folder is in use, so nobody must sweep it
            if error.errno in _NO_LOCKS:
                return place, lock, descriptor
            os.close(descriptor)
            raise
        if _names(lock, descriptor):
            return place, lock, descriptor
        os.close(descriptor)  # a sweep came between making it and holding it


def _sweep(place: Path, lock: Path) -> None:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _names(lock, descriptor) and _may_go(place):
            remove(place)
            _unlock(place, lock)
    except OSError as error:
        if error.errno not in (*_IN_USE, *_NO_LOCKS):
            raise
    finally:
        os.close(descriptor)


def _unlock(place: Path, lock: Path) -> None:
    """Remove a lock file, but leave it beside a folder that could not be removed, for the next sweep."""
    if not os.path.lexists(place):
        lock.unlink(missing_ok=True)


def _names(lock: Path, descriptor: int) -> bool:
    """Return whether the path still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(lock, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _may_go(place: Path) -> bool:
    """Return whether it is a folder of this user's, or none, and holds no mount of a program that outlived its run."""
    try:
        found = os.lstat(place)
    except FileNotFoundError:
        return True
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return False
    real = os.path.realpath(place)
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        return not any(line.split(" ", 2)[1].startswith(f"{real}/") for line in mounts)
