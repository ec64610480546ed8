"""Publishing through `cvmfs_server`, on a Stratum 0 or with a gateway: transaction, publish, tag, abort on failure.

What the program does and says is its own; here is which of its commands are called in which order (CernVM-FS
documentation, "Creating a Repository (Stratum 0)" and "The Gateway"). Nothing is left open: whatever fails between a
transaction and its publication is followed by `abort`, which gives a gateway's lease back.

A gateway has other publishers, on other machines. This one's mount shows what they publish, and what itself publishes,
only once `mount` has renewed it (2.11.5 renews it before it asks for the lease, and by the revision of that time); a
revision gets its name when it is published, for only the gateway can sign.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lode import inventory, process, scratch
from lode.definitions.repository import Nesting
from lode.errors import HostError, LodeError, PublicationError, UsageError
from lode.progress import Progress
from lode.publishing.cvmfs import listing, nesting, tarball
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.rows import MARKER

PROGRAM = "cvmfs_server"

CONFIGURATION = Path("/etc/cvmfs/repositories.d")  # of the repositories that this machine serves or publishes to

_LINES = 5  # of the program's output that a message shows
_DESCRIPTION = "published-by-Lode"  # one word: `publish` hands a gateway no more (2.11.5)
_UPSTREAM = re.compile(r"^CVMFS_UPSTREAM_STORAGE=[\"']?(.*?)[\"']?\s*$", re.MULTILINE)
_REFUSED = re.compile(r"^Error: '(.+)'$", re.MULTILINE)  # what the gateway says
_NOISE = re.compile(r"^(?:Stacktrace|Executed Command):$", re.MULTILINE)  # what follows is for developers of CernVM-FS
_LEFT = re.compile(r"Time remaining = ([^\s.]+)(?:\.\d+)?(m?s)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A repository that `cvmfs_server` on this machine publishes to."""

    name: str
    nesting: Nesting
    mounted: Path  # where the program shows the repository, writable in a transaction: /cvmfs/<fqrn>
    program: str = PROGRAM
    lease: bool = False  # it is published through a gateway, which leases paths
    wait_s: int = 0  # how long to wait for the end of somebody else's transaction or lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What was done."""

    changed: tuple[str, ...]  # mount points
    unchanged: tuple[str, ...]
    tags: tuple[str, ...]


def behind_gateway(name: str, configuration: Path = CONFIGURATION) -> bool:
    """Return whether this machine publishes to the repository `name` through a gateway, as its server.conf says."""
    try:
        text = (configuration / name / "server.conf").read_text(errors="replace")
    except OSError:
        return False
    storages: list[str] = _UPSTREAM.findall(text)
    return bool(storages) and storages[-1].startswith("gw,")


def ingest(
    there: Server, sources: Sequence[Source], *, tags: Sequence[str], work: Path, progress: Progress
) -> Delivered:
    """Publish each tree with `ingest`, one revision a tree, and tag the last; PublicationError when one fails.

    A tree that replaces another takes two: that which is there goes first, and clients may see neither for a moment.
    """
    if there.lease and tags:
        raise UsageError("`ingest` gives no name to a revision that a gateway makes", hint="publish without --ingest")
    if there.wait_s:
        raise UsageError("`ingest` does not wait for other publishers", hint="publish without --ingest")
    if there.lease:
        _call(there, "mount", there.name)
    new = _unpublished(there, sources)
    for source in new:
        base = source.mount.strip("/")
        with scratch.folder("ingest", work) as folder:
            tar = folder / "tree.tar"
            with tar.open("wb") as file:
                tarball.write(source, there.nesting, file, progress=progress)
            if there.lease and not (there.mounted / base).parent.is_dir():
                _make_folders(there, source)
            try:
                # In one step it aborts ("catalog for file … cannot be found", 2.11.5), and a gateway refuses.
                if (there.mounted / base).exists():
                    _call(there, "ingest", "--delete", base, there.name)
                _call(there, "ingest", "--tar_file", str(tar), "--base_dir", base, there.name)
            except LodeError:
                _abort(there)
                raise
    return _delivered(there, sources, new, tags)


def transaction(there: Server, sources: Sequence[Source], *, tags: Sequence[str], progress: Progress) -> Delivered:
    """Publish all trees in one transaction and revision; PublicationError when it fails, and nothing is published.

    With a gateway the transaction leases the folder above all of them, or of that the first that is not there yet.
    """
    if there.lease and len(tags) > 1:
        raise UsageError("a gateway gives a revision one name", hint=f"leave out --tag {tags[-1]}")
    new = _unpublished(there, sources)
    if not new and not there.lease:
        return _delivered(there, sources, new, tags)
    _open(there, [source.mount for source in sources])
    try:
        if there.lease:
            _renew(there)  # it shows what is there now that nobody else can change it
            new = _unpublished(there, sources)
        for source in new:
            _lay(there, source, progress)
        if new or tags:
            _call(there, "publish", *(("-a", tags[0], "-m", _DESCRIPTION) if tags else ()), there.name)
        else:
            _abort(there)
    except BaseException:
        _abort(there)
        raise
    return _delivered(there, sources, new, tags, named=1)


def _make_folders(there: Server, source: Source) -> None:
    """Publish the folder that the tree is to lie in: `ingest` leases a path whose parent must be there."""
    _open(there, [source.mount])
    try:
        (there.mounted / source.mount.strip("/")).parent.mkdir(parents=True, exist_ok=True)
        _call(there, "publish", there.name)
    except BaseException:
        _abort(there)
        raise


def _open(there: Server, mounts: Sequence[str]) -> None:
    """Open a transaction; PublicationError that says who is in the way, and what to do."""
    path = _leased(there, mounts) if there.lease else ""
    waiting = ("-t", str(there.wait_s)) if there.wait_s else ()
    done = _run(there, "transaction", *waiting, there.name + path)
    if done.status == errno.EEXIST:
        raise PublicationError(
            f"a transaction on {there.name} is open on this machine",
            hint=f"wait for its end (--wait SECONDS); when nobody is at it, a publisher was killed: "
            f"`{there.program} abort -f {there.name}` takes back what it did"
            + (", and gives its lease back" if there.lease else ""),
        )
    if done.status == errno.EBUSY:
        left = _LEFT.search(done.stdout)
        raise PublicationError(
            f"the gateway has leased {path or '/'} of {there.name}, or a folder in or above it, to another publisher",
            hint="call again when that one has published, or give --wait SECONDS; a lease that is not given back ends "
            + (f"in {left[1]}{left[2] or ''}" if left else "by itself"),
        )
    refusal = _REFUSED.search(done.stdout)
    if done.status and refusal:
        raise PublicationError(
            f"the gateway does not lease {path or '/'} of {there.name} to this publisher: {refusal[1]}",
            hint=f"ask its operator which paths the key in /etc/cvmfs/keys/{there.name}.gw may lease",
        )
    if done.status and "cannot acquire lease" in done.stderr:
        configuration = CONFIGURATION / there.name / "server.conf"
        raise PublicationError(
            f"the gateway of {there.name} does not answer",
            hint=f"look whether it runs where {configuration} says: CVMFS_UPSTREAM_STORAGE",
        )
    if done.status:
        raise _failed(done)


def _renew(there: Server) -> None:
    """Let the open transaction's mount show what is published now."""
    _call(there, "mount", there.name)
    if not os.access(there.mounted, os.W_OK):  # what it has renewed lies there read-only until the next call (2.11.5)
        _call(there, "mount", there.name)


def _leased(there: Server, mounts: Sequence[str]) -> str:
    """Return the path to lease: the folder above all `mounts`, or above that the first whose parent is there.

    A gateway leases no path whose parent is not there ("cannot open transaction on non-existing path", 2.11.5).
    """
    path = Path(os.path.commonpath(mounts))
    while not (there.mounted / path.parent.relative_to("/")).is_dir():
        path = path.parent
    return "" if path == path.parent else str(path)


def _delivered(
    there: Server, sources: Sequence[Source], new: Sequence[Source], tags: Sequence[str], *, named: int = 0
) -> Delivered:
    """Return what was done, once the present revision has those of `tags` that it was not published with."""
    if there.lease and new:
        _run(there, "mount", there.name)
    for name in tags[named:]:
        _call(there, "tag", "-a", name, "-m", _DESCRIPTION, there.name)
    changed = {source.mount for source in new}
    return Delivered(
        changed=tuple(sorted(changed)),
        unchanged=tuple(sorted({source.mount for source in sources} - changed)),
        tags=tuple(tags),
    )


def _unpublished(there: Server, sources: Sequence[Source]) -> list[Source]:
    return [source for source in sources if not _published(there, source)]


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
    done = _run(there, command, *arguments)
    if done.status:
        raise _failed(done)


def _run(there: Server, command: str, *arguments: str) -> process.Completed:
    try:
        return process.run([there.program, command, *arguments])
    except HostError as error:
        raise HostError(
            f"{there.program} is not here", hint="run this on the repository's Stratum 0, or hand over a bundle"
        ) from error


def _failed(done: process.Completed) -> PublicationError:
    if '"reason":"invalid lease"' in done.stderr:
        return PublicationError(
            "the lease ended before all was published",
            hint="nothing was published; call again. The gateway's operator has cancelled it, or lets leases end too "
            "soon: max_lease_time",
        )
    told = _NOISE.split(done.stdout)[0] + "\n" + _NOISE.split(done.stderr)[0]
    said = [line for line in told.splitlines() if line.strip()][-_LINES:]
    return PublicationError(
        f"`{' '.join(done.argv)}` failed with status {done.status}",
        hint="it said: " + " / ".join(said) if said else None,
    )
