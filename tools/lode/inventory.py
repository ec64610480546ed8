"""Inventories: what a tree holds, entry by entry, and the digest that names the tree.

An inventory is a sorted list of entries. Its file form is one canonical JSON array per line, so that a tree of a
million files streams; its digest is the SHA-256 of that file. Owners and times are left out: they do not survive an
installation, and a tree's identity must.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntryType(StrEnum):
    """What an entry is; anything else (devices, sockets, fifos) is refused."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: its path relative to the tree, `/`-separated, in bytes order; `.` is not listed."""

    path: str  # undecodable bytes are kept as surrogates (os.fsdecode)
    type: EntryType
    mode: int  # permission bits only, 0o755
    size: int  # bytes; 0 for directories; length of the target for links
    content: str  # sha256 of a file, target of a link, empty for a directory
