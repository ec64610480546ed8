"""Publishing trees: one new revision for all that a call changes, none when it changes nothing."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lode.digest import Digest
from lode.errors import PublicationError
from lode.inventory import printable
from lode.progress import Progress
from lode.publishing.cvmfs import catalog, compress, contents, layout, nesting, objects, stratum, trees, trust
from lode.publishing.cvmfs import listing as listings
from lode.publishing.cvmfs.cache import Cache, Tree
from lode.publishing.cvmfs.contents import Held
from lode.publishing.cvmfs.history import PREVIOUS, TRUNK, Tag
from lode.publishing.cvmfs.keys import SigningKey
from lode.publishing.cvmfs.layout import Change, Mount
from lode.publishing.cvmfs.manifest import Manifest
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.rows import Nested
from lode.publishing.cvmfs.stratum import Head, Stratum

_REACHED = 300_000  # hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A tree to be published: where it lies, its inventory, and where it is to be mounted."""

    root: Path
    inventory: Path  # its file, which lies in the tree but does not list itself
    digest: Digest  # of the inventory
    mount: str  # `/<stack>/<release>/<target>`, of an image with `.image` behind
    mtime: int  # of everything in it, seconds since 1970
    origin: str = ""  # what it was made from for this publication, such as an image: it is remembered under this too


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
    unchanged: Sequence[str] = (),
) -> Publication:
    """Mount `sources`, and nothing at the paths `remove`, in one new revision; `tags` (name to description) name it.

    `unchanged` are mount points that the caller knows to hold what they should, see `holds`: they are told of.

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
        warnings = _warnings(head, now)
        for path in remove:
            if layout.find(there.storage, head.root, path) is None:
                raise PublicationError(f"nothing is published at {path}")
            changes[path] = Change(mount=None)
        for source in sources:
            change, large = _stored(there, head, source, cache, jobs, progress)
            warnings += [f"{source.mount}: {text}" for text in large]
            if change is not None:
                changes[source.mount] = change
        made = _committed(there, head, changes, wanted, key, now)
    return Publication(
        name=made.name,
        revision=made.revision,
        root=made.root,
        new=made.revision != head.manifest.revision,
        changed=tuple(sorted(changes.keys() - set(remove))),
        unchanged=tuple(sorted(({source.mount for source in sources} | set(unchanged)) - changes.keys())),
        removed=tuple(sorted(remove)),
        warnings=tuple(warnings),
    )


def remembered(there: Stratum, source: Source, cache: Cache) -> Tree | None:
    """Return what the tree was stored as before, None when that is not known."""
    return cache.tree(_key(there, source.mount, source.digest, source.mtime))


def holds(there: Stratum, mount: str, origin: str, mtime: int, *, cache: Cache) -> bool:
    """Return whether what is mounted at `mount` is known to have been made from `origin`, so that none is made anew."""
    known = cache.tree(_key(there, mount, origin, mtime))
    if known is None:
        return False
    present = layout.find(there.storage, stratum.read(there).root, mount)
    return present is not None and present.hash == known.catalog


def _stored(
    there: Stratum, head: Head, source: Source, cache: Cache, jobs: int, progress: Progress
) -> tuple[Change | None, tuple[str, ...]]:
    """Store the tree and return how to mount it, None when that is mounted already; and what to warn of."""
    present = layout.find(there.storage, head.root, source.mount)
    known = remembered(there, source, cache)
    if known is not None and present is not None and known.catalog == present.hash:
        _remember(there, source, known, cache)
        return None, ()
    listing = listings.read(source.root, source.inventory)
    held = held_now(there, present, cache)
    lookup = contents.store(listing, there.repository, held, cache, deflate=there.deflate, jobs=jobs, progress=progress)
    mount = source.mount.encode()
    cut = nesting.cuts(listing.members, there.repository.nesting)
    tree = trees.store(listing, lookup, cut, mount, there.storage, deflate=there.deflate, mtime=source.mtime)
    _remember(there, source, tree, cache)
    if listing.held is not None:
        cache.remember_held(contents.form(there.repository), tree.catalog, lookup(listing.held))
    if present is not None and tree.catalog == present.hash:
        return None, ()
    nested = Nested(path=mount, hash=tree.catalog, size=tree.size)
    change = Change(mount=Mount(nested=nested, folders=tree.folders, mtime=source.mtime), total=tree.total)
    return change, nesting.warnings(nesting.sizes(listing.members, cut), there.repository.nesting)


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
        root = layout.changed(
            there.storage,
            head.root,
            changes,
            name=there.repository.name,
            deflate=there.deflate,
            mtime=head.root.rows[0].mtime,
        )
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


def held_now(there: Stratum, present: Nested | None, cache: Cache) -> Held:
    """Return what need not be stored because the tree that is mounted now holds it.

    It is there, or the repository is broken already.
    """
    known = cache.held(contents.form(there.repository), present.hash) if present is not None else {}
    reached = frozenset() if known else _reached(there, present)
    return Held(storage=there.storage, reached=reached, contents=known)


def _reached(there: Stratum, present: Nested | None) -> frozenset[bytes]:
    """Return the hashes of the objects of what is mounted now.

    Nothing for a tree so large that asking the storage takes less than holding them.
    """
    found: set[bytes] = set()
    waiting = [present] if present is not None else []
    while waiting:
        files, chunks, nested = catalog.references(objects.get(there.storage, waiting.pop().hash, Kind.CATALOG))
        found |= files | chunks
        if len(found) > _REACHED:
            return frozenset()
        waiting += nested
    return frozenset(found)


def _remember(there: Stratum, source: Source, tree: Tree, cache: Cache) -> None:
    for what in (source.digest, source.origin) if source.origin else (source.digest,):
        cache.remember_tree(_key(there, source.mount, what, source.mtime), tree)


def _key(there: Stratum, mount: str, what: str, mtime: int) -> str:
    rules = dataclasses.astuple(there.repository.nesting)
    return trees.key(mount, what, contents.form(there.repository), rules, mtime)


def _warnings(head: Head, now: datetime.datetime) -> list[str]:
    found = []
    if (soon := trust.warning(head.whitelist, now)) is not None:
        found.append(soon)
    if int(now.timestamp()) < head.manifest.time:
        found.append("this machine's clock is behind the last revision's time, which the new one keeps")
    if not compress.is_original():
        found.append(
            "this Python's zlib is not the original one: Stratum 1 servers would serve a damaged certificate. Publish "
            "with another Python, such as the system's"
        )
    return found


def require_tag(name: str) -> None:
    """Raise PublicationError unless `name` may be given to a tag."""
    if name in (TRUNK, PREVIOUS) or not name or not all(c.isascii() and (c.isalnum() or c in "._-+") for c in name):
        raise PublicationError(
            f"{printable(name)} cannot be a tag's name",
            hint=f"letters, digits, dots, dashes, underscores; {TRUNK} and {PREVIOUS} are Lode's own",
        )
