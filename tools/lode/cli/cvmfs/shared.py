"""What the commands of `lode cvmfs` share: where the repository's things lie, the time, the processors."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from lode.cli.common import Session
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.publishing.cvmfs.cache import Cache
from lode.publishing.cvmfs.publish import Source
from lode.workflow import cvmfs
from lode.workflow.cvmfs import Desk

Function = TypeVar("Function", bound=Callable[..., Any])

PASSPHRASE = "LODE_CVMFS_PASSPHRASE"  # noqa: S105 - the name of a variable
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


def placed(function: Function) -> Function:
    """Add --keys and --folder to a command."""
    function = click.option("--keys", "key_folder", type=FOLDER, metavar="FOLDER", help="Where the keys lie.")(function)
    return click.option("--folder", type=FOLDER, metavar="FOLDER", help="Where the repository's files lie.")(function)


def desk(session: Session, fqrn: str, key_folder: Path | None, folder: Path | None, *, ours: bool = True) -> Desk:
    """Return where to work on the repository, as --keys and --folder say.

    One that is not `ours` needs no file, nor does one that `lode release` has made, whose keys are here.
    """
    catalogue = Catalogue.open(session.collections, here=session.here)
    work = cvmfs.desk(
        cvmfs.known(catalogue, fqrn), session.places, key_folder=key_folder, folder=folder, passphrase=passphrase()
    )
    if ours and not work.files.public.is_file():
        cvmfs.find(catalogue, fqrn)
    return work


@contextlib.contextmanager
def sources(
    session: Session, work: Desk, trees: Sequence[str], *, images: bool | None
) -> Iterator[tuple[Cache, tuple[Source, ...], tuple[str, ...]]]:
    """Yield the publisher's memory, what `trees` name, and the mount points of images that are published already.

    `images` says whether theirs are meant too; None: as the repository's file does.
    """
    wanted = work.repository.images if images is None else images
    with (
        contextlib.closing(work.remembered()) as cache,
        cvmfs.all_sources(work, trees, session.places, images=wanted, cache=cache, progress=session.progress()) as (
            found,
            unchanged,
        ),
    ):
        yield cache, found, unchanged


def passphrase() -> bytes | None:
    """Return the passphrase of the keys, None when none is set."""
    return os.environb.get(PASSPHRASE.encode()) or None


def read(path: Path) -> bytes:
    """Return the content of a file that the user named; UsageError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def moment(seconds: int) -> str:
    """Return a time as it is printed."""
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M}"


def now() -> datetime.datetime:
    """Return the time."""
    return datetime.datetime.now(datetime.UTC)


def cpus() -> int:
    """Return how many processors there are."""
    return len(os.sched_getaffinity(0))
