"""Small trees of files held in memory, and writing them so that a kill leaves the old or the new state."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTree:
    """Files by relative path, with content; paths in `executable` get mode 0755, all others 0644."""

    files: Mapping[PurePosixPath, bytes]
    executable: frozenset[PurePosixPath] = frozenset()

    def __post_init__(self) -> None:
        """Refuse paths that leave the tree (ValueError)."""
        for path in self.files:
            if path.is_absolute() or ".." in path.parts or not path.parts:
                raise ValueError(f"not a path inside a tree: {path}")


def write(tree: FileTree, root: Path) -> None:
    """Write every file of `tree` below `root`, each replaced at once; other files there are left alone."""
    for path, content in sorted(tree.files.items()):
        replace(root / path, content, mode=0o755 if path in tree.executable else 0o644)


def replace(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path` so that readers, and a kill at any moment, see the old file or the new one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def put_folder(new: Path, place: Path) -> None:
    """Move the folder `new` to `place` in one step; a folder that was there is at `new` then, unless it was empty."""
    try:
        os.rename(new, place)  # also onto an empty folder
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        _exchange(new, place)


def _exchange(one: Path, other: Path) -> None:
    """Exchange two folders: in one step where the file system can (renameat2), else in two with a gap between."""
    here, flag = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of linux/fcntl.h and linux/fs.h
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2") and libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), flag) == 0:
        return
    aside = one.with_name("old")
    os.rename(other, aside)
    os.rename(one, other)
