"""The database of installed RPM packages without the times at which they were installed, so that it is the same again.

rpm 4.16 and newer keep it in one SQLite file: a header of each package in a table, and a table for each index. The form
of a header is that of RPM's own files (rpm.org, "RPM V4 Package Format"). Older ones keep it in Berkeley DB, which
nothing here can write; see `OLD`.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import struct
from pathlib import Path

from lode.errors import BuildError

OLD = re.compile(r"(?:var/lib/rpm|usr/lib/sysimage/rpm)/(?:[A-Z][A-Za-z]+|__db\.[0-9]+)")  # Berkeley DB's files
_PLACES = ("usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite")
_TIME, _TRANSACTION = 1008, 1128  # RPMTAG_INSTALLTIME, RPMTAG_INSTALLTID, which is a time too
_INT32, _ENTRY = 4, struct.Struct(">4I")  # tag, type, offset, count


def settle(root: Path, time: int) -> None:
    """Give all packages of the database in `root`, if there is one, the time of installation `time`.

    BuildError when it is not as rpm writes it.
    """
    for place in _PLACES:
        file = root / place
        if file.is_file() and not file.is_symlink() and not file.parent.is_symlink():
            try:
                _rewrite(file, time)
            except (sqlite3.Error, struct.error) as error:
                raise BuildError(f"the system's database of RPM packages, {place}, cannot be read: {error}") from error


def _rewrite(file: Path, time: int) -> None:
    new = file.with_name(f"{file.name}.new")
    with contextlib.closing(sqlite3.connect(file)) as there:
        for number, header in there.execute("SELECT hnum, blob FROM Packages").fetchall():
            there.execute("UPDATE Packages SET blob = ? WHERE hnum = ?", (_settled(header, time), number))
        there.execute("UPDATE Installtid SET key = ?", (struct.pack("=I", time),))
        there.commit()
        there.execute("VACUUM INTO ?", (str(new),))
    os.replace(new, file)
    for beside in ("wal", "shm", "journal"):
        file.with_name(f"{file.name}-{beside}").unlink(missing_ok=True)


def _settled(header: bytes, time: int) -> bytes:
    """Return a package's header with `time` for what tells when it was installed."""
    entries, _ = struct.unpack_from(">2I", header)
    data = 8 + entries * _ENTRY.size
    changed = bytearray(header)
    for number in range(entries):
        tag, kind, offset, count = _ENTRY.unpack_from(header, 8 + number * _ENTRY.size)
        if tag in (_TIME, _TRANSACTION) and kind == _INT32:
            struct.pack_into(f">{count}I", changed, data + offset, *[time] * count)
    return bytes(changed)
