"""Publishing trees: one new revision for all that a call changes, none when it changes nothing."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lode import inventory
from lode.digest import Digest
from lode.errors import PublicationError
from lode.inventory import Entry, EntryType, printable
from lode.progress import Progress
from lode.publishing.cvmfs import contents, layout, nesting, stratum, trees, trust
from lode.publishing.cvmfs.cache import Cache, Tree
from lode.publishing.cvmfs.history import PREVIOUS, TRUNK, Tag
from lode.publishing.cvmfs.keys import SigningKey
from lode.publishing.cvmfs.layout import Change, Mount
from lode.publishing.cvmfs.manifest import Manifest
from lode.publishing.cvmfs.rows import MARKER, Nested
from lode.publishing.cvmfs.stratum import Head, Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A tree to be published: where it lies, its inventory, and where it is to be mounted."""

    root: Path
    inventory: Path  # its file, which lies in the tree but does not list itself
    digest: Digest  # of the inventory
    mount: str  # `/<stack>/<release>/<target>`
    mtime: int  # of everything in it, seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a call has done. `revision` is the present one, whether it is new or not."""

    name: str
    revision: int
    root: str  # hash of the root catalog
    new: bool
    changed: tuple[str, ...]  # mount points, sorted
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    warnings: tuple[str, ...]


def publish(
    there: Stratum,
    key: SigningKey,
    sources: Sequence[Source],
    *,
    cache: Cache,
    now: datetime.datetime,
    jobs: int,
    progress: Progress,
    remove: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> Publication:
    """Mount `sources`, and nothing at the paths `remove`, in one new revision; `tags` (name to description) name it.

    PublicationError when the whitelist has expired, another command is writing, a file is not what its inventory says,
    or a path is not one to publish at: then nothing has changed. When nothing is to change there is no new revision,
    and tags name the present one.
    """
    _require_paths([source.mount for source in sources], remove)
    wanted = [Tag(name=name, root="", root_bytes=0, revision=0, time=0, description=text)
              for name, text in sorted((tags or {}).items())]  # fmt: skip
    with there.storage.writer():
        head = stratum.read(there)
        trust.require_valid(head.whitelist, now)
        changes: dict[str, Change] = {}
        for path in remove:
            if layout.find(there.storage, head.root, path) is None:
                raise PublicationError(f"nothing is published at {path}")
            changes[path] = Change(mount=None)
        for source in sources:
            change = _stored(there, head, source, cache, jobs, progress)
            if change is not None:
                changes[source.mount] = change
        made = _committed(there, head, changes, wanted, key, now)
    return Publication(
        name=made.name,
        revision=made.revision,
        root=made.root,
        new=made.revision != head.manifest.revision,
        changed=tuple(sorted(changes.keys() - set(remove))),
        unchanged=tuple(sorted({source.mount for source in sources} - changes.keys())),
        removed=tuple(sorted(remove)),
        warnings=_warnings(head, now),
    )


def entries_of(source: Source) -> tuple[Entry, ...]:
    """Return what the tree holds, its inventory's own file included, in order.

    PublicationError for what a repository cannot hold: a file with the name of a nested catalog's marker.
    """
    try:
        with source.inventory.open("rb") as file:
            own = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise PublicationError(f"the inventory {source.inventory} cannot be read: {error.strerror}") from error
    path = source.inventory.relative_to(source.root).as_posix()
    listed = Entry(path=path, type=EntryType.FILE, mode=0o644, size=size, content=own)
    found = tuple(_merged(inventory.read(source.inventory), listed))
    marker = MARKER.decode()
    for entry in found:
        if entry.path == marker or entry.path.endswith(f"/{marker}"):
            raise PublicationError(
                f"{printable(entry.path)} is in the tree", hint="such files are Lode's to make: remove it"
            )
    return found


def remembered(there: Stratum, source: Source, cache: Cache) -> Tree | None:
    """Return what the tree was stored as before, None when that is not known."""
    return cache.tree(_key(there, source))


def _stored(there: Stratum, head: Head, source: Source, cache: Cache, jobs: int, progress: Progress) -> Change | None:
    """Store the tree and return how to mount it; None when that is mounted already."""
    present = layout.find(there.storage, head.root, source.mount)
    known = remembered(there, source, cache)
    if known is not None and present is not None and known.catalog == present.hash:
        return None
    entries = entries_of(source)
    stored = contents.store(
        source.root,
        entries,
        there.repository,
        there.storage,
        cache,
        deflate=there.deflate,
        jobs=jobs,
        progress=progress,
    )
    mount = source.mount.encode()
    cut = nesting.cuts(entries, there.repository.nesting)
    tree = trees.store(entries, stored, cut, mount, there.storage, deflate=there.deflate, mtime=source.mtime)
    cache.remember_tree(_key(there, source), tree)
    if present is not None and tree.catalog == present.hash:
        return None
    nested = Nested(path=mount, hash=tree.catalog, size=tree.size)
    return Change(mount=Mount(nested=nested, folders=tree.folders, mtime=source.mtime), total=tree.total)


def _committed(
    there: Stratum,
    head: Head,
    changes: Mapping[str, Change],
    wanted: Sequence[Tag],
    key: SigningKey,
    now: datetime.datetime,
) -> Manifest:
    names = {tag.name for tag in wanted}
    tags = [*(tag for tag in head.tags if tag.name not in names), *wanted]
    if changes:
        root = layout.changed(there.storage, head.root, changes, deflate=there.deflate, mtime=head.root.rows[0].mtime)
        return stratum.commit(there, head, root, tags, key, now=now)
    if any(not tag.root for tag in tags):
        return stratum.retag(there, head, tags, key, now=now)
    return head.manifest


def _require_paths(mounts: Sequence[str], remove: Sequence[str]) -> None:
    for path in (*mounts, *remove):
        if not layout.is_mount(path):
            raise PublicationError(
                f"{printable(path)} is no path to publish at", hint="releases lie at /<stack>/<release>/<target>"
            )
    both = sorted(set(mounts) & set(remove)) or sorted({path for path in mounts if mounts.count(path) > 1})
    if both:
        raise PublicationError(f"{both[0]} is asked for twice")


def _merged(listed: Iterable[Entry], own: Entry) -> Iterator[Entry]:
    """Yield `listed` with `own` in its place."""
    place = own.path.encode()
    waiting: Entry | None = own
    for entry in listed:
        if waiting is not None and entry.path.encode("utf-8", "surrogateescape") > place:
            yield waiting
            waiting = None
        yield entry
    if waiting is not None:
        yield waiting


def _key(there: Stratum, source: Source) -> str:
    rules = dataclasses.astuple(there.repository.nesting)
    return trees.key(source.mount, source.digest, contents.form(there.repository), rules, source.mtime)


def _warnings(head: Head, now: datetime.datetime) -> tuple[str, ...]:
    found = []
    if (soon := trust.warning(head.whitelist, now)) is not None:
        found.append(soon)
    if int(now.timestamp()) < head.manifest.time:
        found.append("this machine's clock is behind the last revision's time, which the new one keeps")
    return tuple(found)


def require_tag(name: str) -> None:
    """Raise PublicationError unless `name` may be given to a tag."""
    if name in (TRUNK, PREVIOUS) or not name or not all(c.isascii() and (c.isalnum() or c in "._-+") for c in name):
        raise PublicationError(
            f"{printable(name)} cannot be a tag's name",
            hint=f"letters, digits, dots, dashes, underscores; {TRUNK} and {PREVIOUS} are Lode's own",
        )
