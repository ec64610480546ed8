"""Folders as one file: a tar archive whose bytes depend on the folder's content and nothing else.

A `git` or `path` origin that is a tree is kept in the mirror in this form, and its sha256 in the lock is that of this
archive: POSIX (pax) format, members sorted by path, below one top folder `source/`, owner 0, modes 0644 and 0755,
time 0. Git's own archives will not do: attributes, settings and versions of Git change their bytes.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

TOP = "source"


def packed(folder: Path) -> bytes:
    """Return the archive of `folder` (see `pack`); for small trees, in memory."""
    buffer = io.BytesIO()
    pack(folder, buffer)
    return buffer.getvalue()


def pack(folder: Path, out: IO[bytes]) -> None:
    """Write the archive of `folder` to `out`; ValueError for what is neither file, folder nor link."""
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
        tar.addfile(_member(TOP, stat.S_IFDIR | 0o755))
        for path in _walk(folder):
            status = path.lstat()
            member = _member(f"{TOP}/{path.relative_to(folder).as_posix()}", status.st_mode)
            if member.issym():
                member.linkname = os.readlink(path)
            if member.isreg():
                member.size = status.st_size
                with path.open("rb") as file:
                    tar.addfile(member, file)
            else:
                tar.addfile(member)


def _member(name: str, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mtime = 0
    member.uid = member.gid = 0
    if stat.S_ISDIR(mode):
        member.type, member.mode = tarfile.DIRTYPE, 0o755
    elif stat.S_ISLNK(mode):
        member.type, member.mode = tarfile.SYMTYPE, 0o777
    elif stat.S_ISREG(mode):
        member.mode = 0o755 if mode & 0o100 else 0o644
    else:
        raise ValueError(f"neither a file, a folder nor a link: {name}")
    return member


def _walk(folder: Path) -> Iterator[Path]:
    """Yield everything below `folder`, parents first, sorted by name in bytes order; `.git` is not part of a source."""
    for entry in sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name)):
        if entry.name == ".git":
            continue
        path = Path(entry.path)
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path)
