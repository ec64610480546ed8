"""How the world is reached while sources are fetched: the values that say so, and what a place answers with.

Nothing here asks anything of anybody. The machine's own settings (pip's indexes, apt's mirrors, git's credentials,
proxies, certificates) are read by the programs they belong to, when an origin needs them.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lode.digest import Digest
from lode.errors import HostError

SOFTWARE_HERITAGE = "https://archive.softwareheritage.org"

_USERINFO = re.compile(r"(?<=://)[^/@\s]*@")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a place that drops the connection or is overloaded is asked again."""

    attempts: int = 4  # in a row without a byte of progress
    pause_s: float = 0.5  # before the second attempt; doubled each time
    longest_s: float = 30.0  # no pause is longer, whatever the server asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where to ask beside the places that a source names, and how patiently."""

    mirrors: tuple[str, ...] = ()  # folders or URLs laid out as our own mirror; asked first
    archive: str = SOFTWARE_HERITAGE  # its base URL; asked last; "" asks it never
    debian: tuple[str, ...] = ()  # Debian mirrors, asked before those that apt is set up with
    retry: Retry = field(default_factory=Retry)
    timeout_s: float = 60.0  # without a byte
    cooking_s: float = 600.0  # how long the archive may take to put a tree together
    largest_bytes: int = 16 * 2**30  # of a source whose size is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The bytes that must arrive, whatever the place."""

    sha256: Digest
    size: int | None
    swhid: str | None
    filename: str
    task: str  # its name in the progress display


class Refused(Exception):
    """One place did not deliver; the text says why. The next place is asked."""


class Interrupted(Exception):
    """The whole fetch is to end: another source failed for good, or the user said so."""


def redacted(url: str) -> str:
    """Return `url` without a user name and password."""
    return _USERINFO.sub("", url)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn a failure to write below `path` into HostError that says what the file system said."""
    try:
        yield
    except OSError as error:
        raise cannot_store(path, error) from error


def cannot_store(path: Path, error: OSError) -> HostError:
    """Return the error for `path`, which could not be written."""
    hint = "free some space or choose another folder" if no_room(error) else "choose a folder that can be written"
    return HostError(f"cannot write to {path}: {error.strerror or error}", hint=hint)


def no_room(error: OSError) -> bool:
    """Return whether the file system is full, or the user's share of it is."""
    return error.errno in _NO_ROOM
