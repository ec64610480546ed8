"""A tree as the tar file that `cvmfs_server ingest` takes: the same tree, the same bytes, with marked catalogs.

Every folder is listed before what is in it, hard links are files of their own, owner is 0:0 and every time that of the
tree: what ingest does with other archives has open faults (cvmfs/cvmfs issues 4439, 3789).
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from lode.definitions.repository import Nesting
from lode.errors import PublicationError
from lode.inventory import Entry, EntryType, printable
from lode.progress import Progress
from lode.publishing.cvmfs import listing, nesting
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.rows import MARKER

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What was written."""

    entries: int
    size: int  # bytes of all files
    catalogs: int


def write(source: Source, rules: Nesting, file: BinaryIO, *, progress: Progress) -> Packed:
    """Write the tree, paths relative to its root, and return what it holds.

    PublicationError when a file is not what the inventory says; what was written so far is no archive then.
    """
    task = "pack"
    found = listing.read(source.root, source.inventory)
    cut = nesting.cuts(found.members, rules)
    progress.start(task, total=float(found.size), unit="B")
    entries = 0
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
        _add_marker(tar, "", source.mtime)
        for entry in found:
            _add(tar, source, entry)
            entries += 1
            if entry.path in cut:
                _add_marker(tar, f"{entry.path}/", source.mtime)
            progress.advance(task, entry.size if entry.type is EntryType.FILE else 0)
    progress.finish(task, f"{entries} entries")
    return Packed(entries=entries, size=found.size, catalogs=1 + len(cut))


def _add(tar: tarfile.TarFile, source: Source, entry: Entry) -> None:
    header = _header(entry.path, source.mtime)
    header.mode = entry.mode
    if entry.type is EntryType.DIRECTORY:
        header.type = tarfile.DIRTYPE
        tar.addfile(header)
    elif entry.type is EntryType.SYMLINK:
        header.type, header.linkname = tarfile.SYMTYPE, entry.content
        tar.addfile(header)
    else:
        header.size = entry.size
        try:
            with open(os.open(os.path.join(os.fsencode(source.root), os.fsencode(entry.path)), _OPEN), "rb") as file:
                reader = _Hashing(file)
                tar.addfile(header, reader)  # type: ignore[arg-type] # it reads no more than `read`
                more = file.read(1)
        except OSError as error:  # tarfile says so, too, of a file that is shorter
            raise _changed(entry) from error
        if more or reader.hashed.hexdigest() != entry.content:
            raise _changed(entry)


def _add_marker(tar: tarfile.TarFile, folder: str, mtime: int) -> None:
    header = _header(folder + MARKER.decode(), mtime)
    header.mode = 0o644
    tar.addfile(header, io.BytesIO())


def _header(path: str, mtime: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.mtime = mtime
    header.uname = header.gname = "root"
    return header


class _Hashing:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hashed = hashlib.sha256()

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.hashed.update(piece)
        return piece


def _changed(entry: Entry) -> PublicationError:
    return PublicationError(
        f"{printable(entry.path)} is not the file of the tree's inventory",
        hint="something wrote to the tree; install it again. Nothing was published",
    )


def dirtab(mounts: Iterable[str]) -> str:
    """Return the lines of a `.cvmfsdirtab` that give each tree of these stacks a catalog of its own."""
    stacks = sorted({mount.split("/")[1] for mount in mounts})
    return "".join(f"/{stack}\n/{stack}/*/*\n" for stack in stacks)
