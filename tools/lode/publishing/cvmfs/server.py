"""Publishing through `cvmfs_server`, on a Stratum 0 or with a gateway: transaction, publish, tag, abort on failure.

What the program does and says is its own; here is which of its commands are called in which order (CernVM-FS
documentation, "Creating a Repository (Stratum 0)" and "The Gateway"). Nothing is left open: whatever fails between a
transaction and its publication is followed by `abort`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lode import inventory, process, scratch
from lode.definitions.repository import Nesting
from lode.errors import HostError, LodeError, PublicationError
from lode.progress import Progress
from lode.publishing.cvmfs import listing, nesting, tarball
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.rows import MARKER

PROGRAM = "cvmfs_server"

_LINES = 5  # of the program's output that a message shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A repository that `cvmfs_server` on this machine publishes to."""

    name: str
    nesting: Nesting
    mounted: Path  # where the program shows the repository, writable in a transaction: /cvmfs/<fqrn>
    program: str = PROGRAM
    lease: bool = False  # a gateway leases paths, not the whole repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What was done."""

    changed: tuple[str, ...]  # mount points
    unchanged: tuple[str, ...]
    tags: tuple[str, ...]


def ingest(
    there: Server, sources: Sequence[Source], *, tags: Sequence[str], work: Path, progress: Progress
) -> Delivered:
    """Publish each tree with `ingest`, one revision a tree, and tag the last; PublicationError when one fails.

    A tree that replaces another takes two: that which is there goes first, and clients may see neither for a moment.
    """
    new = [source for source in sources if not _published(there, source)]
    for source in new:
        base = source.mount.strip("/")
        with scratch.folder("ingest", work) as folder:
            tar = folder / "tree.tar"
            with tar.open("wb") as file:
                tarball.write(source, there.nesting, file, progress=progress)
            try:
                # In one step it aborts ("catalog for file … cannot be found", 2.11.5), and a gateway refuses.
                if (there.mounted / base).exists():
                    _call(there, "ingest", "--delete", base, there.name)
                _call(there, "ingest", "--tar_file", str(tar), "--base_dir", base, there.name)
            except LodeError:
                _abort(there)
                raise
    return _tagged(there, sources, new, tags)


def transaction(there: Server, sources: Sequence[Source], *, tags: Sequence[str], progress: Progress) -> Delivered:
    """Publish all trees in one transaction and revision; PublicationError when it fails, and nothing is published.

    With a gateway the transaction leases the folder above all of them.
    """
    new = [source for source in sources if not _published(there, source)]
    if new:
        _call(there, "transaction", _leased(there, new))
        try:
            for source in new:
                _lay(there, source, progress)
            _call(there, "publish", there.name)
        except BaseException:
            _abort(there)
            raise
    return _tagged(there, sources, new, tags)


def _leased(there: Server, new: Sequence[Source]) -> str:
    if not there.lease:
        return there.name
    above = os.path.commonpath([source.mount for source in new])
    return there.name + (above if above != "/" else "")


def _tagged(there: Server, sources: Sequence[Source], new: Sequence[Source], tags: Sequence[str]) -> Delivered:
    for name in tags:
        _call(there, "tag", "-a", name, "-m", "published by Lode", there.name)
    changed = {source.mount for source in new}
    return Delivered(
        changed=tuple(sorted(changed)),
        unchanged=tuple(sorted({source.mount for source in sources} - changed)),
        tags=tuple(tags),
    )


def _published(there: Server, source: Source) -> bool:
    """Return whether the tree of this very inventory lies at its place."""
    file = there.mounted / source.mount.strip("/") / source.inventory.relative_to(source.root)
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == source.digest
    except OSError:
        return False


def _lay(there: Server, source: Source, progress: Progress) -> None:
    """Copy the tree into the open transaction, in the place of what lies there, and mark its catalogs.

    PublicationError when what was copied is not what the inventory says.
    """
    progress.start("copy")
    place = there.mounted / source.mount.strip("/")
    found = listing.read(source.root, source.inventory)
    try:
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.exists():
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source.root, place, symlinks=True)
        own = source.inventory.relative_to(source.root).as_posix()
        differences = list(inventory.compare(inventory.read(source.inventory), inventory.scan(place, exclude=(own,))))
        if differences:
            raise PublicationError(
                f"the tree is not what its inventory says: {differences[0]}",
                hint="something wrote to the tree; install it again. Nothing was published",
            )
        for folder in ("", *nesting.cuts(found.members, there.nesting)):
            (place / folder / MARKER.decode()).touch()
        _date(place, source.mtime)
    except OSError as error:
        raise PublicationError(f"the tree cannot be copied to {place}: {error.strerror}") from error
    finally:
        progress.finish("copy")


def _date(place: Path, mtime: int) -> None:
    """Give all that lies at `place` the time that the native publisher gives it."""
    for folder, folders, files in os.walk(place, topdown=False):
        for name in (*folders, *files):
            os.utime(os.path.join(folder, name), (mtime, mtime), follow_symlinks=False)
    os.utime(place, (mtime, mtime))


def _abort(there: Server) -> None:
    """Give the transaction up; that there is none any more is as well."""
    process.run([there.program, "abort", "-f", there.name])


def _call(there: Server, command: str, *arguments: str) -> None:
    argv = [there.program, command, *arguments]
    try:
        done = process.run(argv)
    except HostError as error:
        raise HostError(
            f"{there.program} is not here", hint="run this on the repository's Stratum 0, or hand over a bundle"
        ) from error
    if done.status != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-_LINES:]
        raise PublicationError(
            f"`{' '.join(argv)}` failed with status {done.status}",
            hint="it said: " + " / ".join(said) if said else None,
        )
