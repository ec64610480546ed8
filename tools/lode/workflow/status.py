"""Release folders told of together: what a change did to a release, and the status of many."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lode import __version__, tree
from lode.describing import moved, status
from lode.errors import HostError, UsageError
from lode.workflow import report as reporting

PAGE = "index.html"


def moves(old: Path | None, new: Path) -> str:
    """Return in Markdown what the release at `new` does otherwise than that at `old`; HostError where none lies."""
    return moved.markdown(reporting.read(old) if old is not None else None, reporting.read(new))


def find(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return the release folders that `folders` are or hold, at any depth, sorted; UsageError when there is none."""
    found = {lock.parent for folder in folders for lock in folder.rglob(reporting.LOCK) if _is_release(lock.parent)}
    if not found:
        raise UsageError(
            f"no release lies in {', '.join(map(str, folders))}", hint="`lode release STACK -o FOLDER` makes one"
        )
    return tuple(sorted(found))


def _is_release(folder: Path) -> bool:
    return (folder / reporting.INDEX).is_file()


def site(folders: Sequence[Path], output: Path, *, title: str) -> tuple[Path, tuple[Path, ...]]:
    """Return the page written to `output` and the releases that it tells of; HostError when it cannot be written.

    A release that lies below `output` is linked to.
    """
    releases = find(folders)
    entries = [
        entry for folder in releases for entry in status.entries(*reporting.read(folder), where=_link(folder, output))
    ]
    page = output / PAGE
    try:
        output.mkdir(parents=True, exist_ok=True)
        tree.replace(page, status.html(entries, version=__version__, title=title))
    except OSError as error:
        raise HostError(f"{page} cannot be written: {error.strerror}") from error
    return page, releases


def _link(folder: Path, output: Path) -> str:
    from urllib.parse import quote

    from lode.describing.report import PAGE as REPORT

    place = folder.resolve() / REPORT
    root = output.resolve()
    if not place.is_relative_to(root) or not place.is_file():
        return ""
    return quote(os.path.relpath(place, root))
