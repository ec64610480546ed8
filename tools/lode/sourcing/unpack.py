"""Unpacking archives that may be hostile, into trees that are the same on every machine.

Nothing is left to the archive libraries but reading: every member is checked and written here, because the filters of
`tarfile` are not in every Python 3.11 and know no limits. What comes out has modes 0644 and 0755 and one fixed time.

A single top folder, as nearly all archives have it, is taken off; an archive with several entries at its top is laid
out as it is, and a wheel always. `subdirectory` is taken after that.
"""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from lode import scratch
from lode.errors import LodeError, SourceError
from lode.sourcing import archives
from lode.sourcing.access import storing
from lode.sourcing.archives import Limits, Member, Unsound

EPOCH_S = 946684800  # 2000-01-01T00:00:00Z: after 1980, where zip files begin, and before any release


def unpack(
    archive: IO[bytes],
    name: str,
    destination: Path,
    *,
    subdirectory: str = "",
    strip: bool = True,
    limits: Limits | None = None,
) -> None:
    """Lay out `archive`, an open file that messages call `name`, in `destination`, which may hold other files.

    SourceError names the archive and the member that is refused or cut off; HostError when the disk is full. Nothing is
    left of an archive that fails, unless `destination` was there before and both bring the same file.
    """
    with ExitStack() as held:
        with storing(destination):
            tree = held.enter_context(scratch.folder("unpack", destination.parent)) / "tree"
        with _named(name, destination):
            tree.mkdir(mode=0o755)
            writer = _Writer(tree)
            for member in archives.members(archive, limits or Limits()):
                writer.add(member)
            root = _root(tree, subdirectory, strip=strip and not name.lower().endswith(".whl"))
            _check_links(root)
            root.chmod(0o755)
            _merge(root, destination)
            settle(destination)


def settle(root: Path) -> None:
    """Give everything below `root`, and `root`, the one fixed time."""
    for folder, folders, files in os.walk(root, topdown=False):
        for entry in (*files, *folders):
            os.utime(os.path.join(folder, entry), (EPOCH_S, EPOCH_S), follow_symlinks=False)
    os.utime(root, (EPOCH_S, EPOCH_S))


def parts(path: str) -> tuple[str, ...]:
    """Return the parts of a relative path; ValueError, saying what it does, when it could leave its root."""
    if "\0" in path:
        raise ValueError("has a NUL in its name")
    if path.startswith("/"):
        raise ValueError("has an absolute path")
    found = tuple(part for part in path.split("/") if part not in ("", "."))
    if ".." in found:
        raise ValueError("leaves the tree by '..'")
    return found


def real_folder(root: Path, path: str) -> Path | None:
    """Return the folder `path` below `root`, None unless each of its parts is a folder and no link."""
    folder = root
    for part in parts(path):
        folder = folder / part
        if folder.is_symlink() or not folder.is_dir():
            return None
    return folder


class _Writer:
    """Writes members below a new, empty root; it remembers what is there, so that no link is ever followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kinds: dict[tuple[str, ...], str] = {(): "folder"}

    def add(self, member: Member) -> None:
        try:
            where = parts(member.name)
        except ValueError as error:
            raise Unsound(str(error), member.name) from None
        if not where and member.kind == "folder":
            return
        if not where:
            raise Unsound("has no name", member.name)
        self._make_parents(where, member)
        there = self._kinds.get(where)
        if there is not None and not (there == member.kind and there in ("folder", "file")):
            raise Unsound(f"is a {member.kind} in place of a {there} of the same name", member.name)
        path = self._root.joinpath(*where)
        match member.kind:
            case "folder":
                self._make_folder(path, there)
            case "link":
                os.symlink(_target(member), path)
            case "hard link":
                self._link(member, path)
            case _:
                _write(member, path)
        self._kinds[where] = "file" if member.kind == "hard link" else member.kind

    def _make_parents(self, where: tuple[str, ...], member: Member) -> None:
        for depth in range(1, len(where)):
            above = where[:depth]
            there = self._kinds.get(above)
            if there is None:
                self._make_folder(self._root.joinpath(*above), None)
                self._kinds[above] = "folder"
            elif there != "folder":
                raise Unsound(f"goes through the {there} {posixpath.join(*above)!r}", member.name)

    def _make_folder(self, path: Path, there: str | None) -> None:
        if there is None:
            path.mkdir()
            path.chmod(0o755)

    def _link(self, member: Member, path: Path) -> None:
        try:
            target = parts(member.target)
        except ValueError:
            raise Unsound(f"is a hard link to {member.target!r}, which leaves the tree", member.name) from None
        if self._kinds.get(target) != "file":
            raise Unsound(f"is a hard link to {member.target!r}, which is no file before it", member.name)
        os.link(self._root.joinpath(*target), path)


def _target(member: Member) -> str:
    if not member.target or "\0" in member.target:
        raise Unsound("is a link without a target", member.name)
    if member.target.startswith("/"):
        raise Unsound(f"is a link to the absolute path {member.target!r}", member.name)
    return member.target


def _write(member: Member, path: Path) -> None:
    with path.open("wb") as file:
        for chunk in member.content():
            file.write(chunk)
    path.chmod(0o755 if member.executable else 0o644)


def _root(tree: Path, subdirectory: str, *, strip: bool) -> Path:
    """Return the folder of the unpacked tree that becomes the source."""
    entries = sorted(os.scandir(tree), key=lambda entry: entry.name)
    if strip and len(entries) == 1 and entries[0].is_dir(follow_symlinks=False):
        tree = Path(entries[0].path)
    try:
        root = real_folder(tree, subdirectory)
    except ValueError as error:
        raise Unsound(f"the subdirectory {subdirectory!r} {error}") from None
    if root is None:
        folders = [entry.name for entry in os.scandir(tree) if entry.is_dir(follow_symlinks=False)]
        raise Unsound(f"it has no folder {subdirectory!r}; the folders at its top are: {', '.join(sorted(folders))}")
    return root


def _check_links(root: Path) -> None:
    """Refuse links out of `root`, whether their text says so or what they lead through."""
    real_root = os.path.realpath(root)
    for folder, folders, files in os.walk(root):
        for entry in (*folders, *files):
            path = os.path.join(folder, entry)
            if not os.path.islink(path):
                continue
            name = os.path.relpath(path, root)
            target = os.readlink(path)
            said = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            real = os.path.realpath(path)
            if said.split("/")[0] == ".." or not (real == real_root or real.startswith(real_root + "/")):
                raise Unsound(f"is a link to {target!r}, which leaves the tree", name)


def _merge(source: Path, destination: Path) -> None:
    """Move what is in `source` to `destination`, folder into folder; a file is never replaced."""
    if not os.path.lexists(destination):
        os.rename(source, destination)
        return
    if destination.is_symlink() or not destination.is_dir():
        raise Unsound(f"would replace {destination.name}, which another source brought")
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        there = destination / entry.name
        if entry.is_dir(follow_symlinks=False) or not os.path.lexists(there):
            _merge(Path(entry.path), there)
        else:
            raise Unsound("was brought by another source too", entry.name)


@contextmanager
def _named(name: str, destination: Path) -> Iterator[None]:
    """Turn faults of the archive into SourceError, faults of the disk into HostError."""
    try:
        with storing(destination):
            yield
    except Unsound as unsound:
        raise SourceError(f"the archive {name} is refused: {unsound}") from unsound
    except LodeError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno == errno.ENAMETOOLONG:
            raise SourceError(f"the archive {name} is refused: a member's name is too long") from cause
        raise
