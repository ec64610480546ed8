"""Software Heritage ids of files and trees, as ISO/IEC 18670 (SWHID 1.2) defines them: Git's object ids.

They name the same bytes as our sha256, in the words of the archive that keeps public source code.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

_CHUNK = 1 << 20


def swhid_of(path: Path) -> str:
    """Return `swh:1:cnt:…` for a file, `swh:1:dir:…` for a folder; ValueError for anything else."""
    mode = os.lstat(path).st_mode
    if stat.S_ISREG(mode):
        return f"swh:1:cnt:{_content(path).hex()}"
    if stat.S_ISDIR(mode):
        return f"swh:1:dir:{_directory(path).hex()}"
    raise ValueError(f"neither a file nor a folder: {path}")


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        sha1 = hashlib.sha1(b"blob %d\0" % os.fstat(file.fileno()).st_size, usedforsecurity=False)
        while chunk := file.read(_CHUNK):
            sha1.update(chunk)
    return sha1.digest()


def _directory(path: Path) -> bytes:
    """Return Git's id of the tree; unlike Git, an empty folder is an entry (SWHID 1.2, section 5.3)."""
    rows: list[tuple[bytes, bytes]] = []
    for entry in os.scandir(os.fsencode(path)):
        mode = entry.stat(follow_symlinks=False).st_mode
        here = Path(os.fsdecode(entry.path))
        if stat.S_ISDIR(mode):
            # Git sorts a folder as if its name ended with a slash
            rows.append((entry.name + b"/", b"40000 " + entry.name + b"\0" + _directory(here)))
        elif stat.S_ISLNK(mode):
            rows.append((entry.name, b"120000 " + entry.name + b"\0" + _blob(os.readlink(entry.path))))
        elif stat.S_ISREG(mode):
            kind = b"100755 " if mode & 0o100 else b"100644 "
            rows.append((entry.name, kind + entry.name + b"\0" + _content(here)))
        else:
            raise ValueError(f"neither a file, a folder nor a link: {here}")
    content = b"".join(row for _, row in sorted(rows))
    return hashlib.sha1(b"tree %d\0" % len(content) + content, usedforsecurity=False).digest()


def _blob(content: bytes) -> bytes:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()
