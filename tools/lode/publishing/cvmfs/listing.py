"""What a tree to be published holds: its inventory, read as often as needed and never held whole when it is big."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lode import inventory
from lode.errors import PublicationError
from lode.inventory import Entry, EntryType, printable
from lode.publishing.cvmfs.rows import MARKER

_VARIABLE = re.compile(r"\$\([^)]*\)", re.DOTALL)
_HELD = 100_000  # entries; more are read again each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The entries of a tree in order, its inventory's own file among them, and the numbers of its folders.

    Each iteration begins anew and yields the same.
    """

    root: Path
    inventory: Path
    size: int  # bytes of all files
    members: Mapping[str, int]  # of each folder, "" the root, how many entries lie directly in it; in order
    folders: Mapping[str, int]  # and how many of them are folders
    own: Entry  # the inventory's file
    held: tuple[Entry, ...] | None
    state: tuple[int, ...]

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries; PublicationError when another inventory has taken the place of the one counted."""
        return iter(self.held) if self.held is not None else self._again()

    def _again(self) -> Iterator[Entry]:
        yield from _merged(inventory.read(self.inventory), self.own)
        if _state(self.inventory) != self.state:
            raise PublicationError(
                f"the inventory {self.inventory} was replaced meanwhile", hint="call again; nothing was published"
            )


def read(root: Path, path: Path) -> Listing:
    """Return what the inventory at `path`, which lies in `root` but does not list itself, says of the tree.

    PublicationError for what a repository cannot hold: a file with the name of a nested catalog's marker, a link that
    clients take for one with variables, an entry in a folder that is not listed.
    """
    state = _state(path)
    try:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise PublicationError(f"the inventory {path} cannot be read: {error.strerror}") from error
    own = Entry(path=path.relative_to(root).as_posix(), type=EntryType.FILE, mode=0o644, size=size, content=content)
    members, folders, total = {"": 0}, {"": 0}, 0
    held: list[Entry] | None = []
    marker = MARKER.decode()
    for entry in _merged(inventory.read(path), own):
        parent, _, name = entry.path.rpartition("/")
        if name == marker:
            hint = "such files are Lode's to make: remove it"
            raise PublicationError(f"{printable(entry.path)} is in the tree", hint=hint)
        if parent not in members:
            raise PublicationError(
                f"{printable(entry.path)} lies in a folder that the inventory does not list",
                hint="install the tree again",
            )
        if entry.type is EntryType.SYMLINK and _VARIABLE.search(entry.content):
            raise PublicationError(
                f"{printable(entry.path)} is a link to {printable(entry.content)}, which clients would replace by the "
                "value of a variable",
                hint="make it lead to a path without $(…)",
            )
        members[parent] += 1
        if entry.type is EntryType.DIRECTORY:
            folders[parent] += 1
            members[entry.path] = folders[entry.path] = 0
        elif entry.type is EntryType.FILE:
            total += entry.size
        if held is not None:
            held.append(entry)
            if len(held) > _HELD:
                held = None
    return Listing(
        root=root,
        inventory=path,
        size=total,
        members=members,
        folders=folders,
        own=own,
        held=None if held is None else tuple(held),
        state=state,
    )


def _merged(listed: Iterable[Entry], own: Entry) -> Iterator[Entry]:
    """Yield `listed` with `own` in its place."""
    place = own.path.encode()
    waiting = True
    for entry in listed:
        if waiting and entry.path.encode("utf-8", "surrogateescape") > place:
            yield own
            waiting = False
        yield entry
    if waiting:
        yield own


def _state(path: Path) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError as error:
        raise PublicationError(f"the inventory {path} cannot be read: {error.strerror}") from error
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
