"""The upper catalogs of a repository: its root, which lists stacks, and one of each stack, which mounts its trees.

A tree lies at `/<stack>/<release>/<target>`. The upper catalogs are functions of what is mounted, so they are written
anew from that, never edited.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lode.errors import PublicationError
from lode.publishing.cvmfs import catalog, objects, trees, variants
from lode.publishing.cvmfs.objects import Deflate, Kind
from lode.publishing.cvmfs.rows import (
    DIRECTORY,
    MARKER,
    MOUNT_POINT,
    NESTED_ROOT,
    Catalog,
    Counters,
    Nested,
    Row,
    folder,
    marker,
)
from lode.publishing.cvmfs.storage import Reader, Storage

_RESERVED = re.compile(r"/[^/]*/(?:current/[^/]*|[^/]*/(?:host|setup\.sh))")  # what variants makes
_MOUNT = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9._+\-]*){3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A catalog and its place in the one above."""

    nested: Nested
    folders: int  # directly in it
    mtime: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be mounted at a path, with its numbers; None: nothing."""

    mount: Mount | None
    total: Counters = Counters()


def is_mount(path: str) -> bool:
    """Return whether a tree may be mounted at `path`: `/<stack>/<release>/<target>`."""
    return _MOUNT.fullmatch(path) is not None and not _RESERVED.fullmatch(path)


def empty(mtime: int) -> Catalog:
    """Return the root catalog of a repository with nothing in it."""
    return Catalog(prefix=b"", rows=(folder(b"", folders=0, mtime=mtime),))


def mounts(upper: Catalog) -> dict[bytes, Mount]:
    """Return what is mounted in an upper catalog, by path; PublicationError when Lode did not lay the catalog out."""
    rows = {row.path: row for row in upper.rows if row.flags & MOUNT_POINT}
    found = {
        one.path: Mount(nested=one, folders=rows[one.path].links - 2, mtime=rows[one.path].mtime)
        for one in upper.nested
        if one.path in rows
    }
    marked = upper.prefix + b"/" + MARKER
    blank = next((row.hash or "" for row in upper.rows if row.path == marked), "")
    plain = tuple(row for row in upper.rows if not variants.is_variant(row.path, upper.prefix))
    if _rows(upper.prefix, found, upper.rows[0].mtime, blank) != plain:
        where = upper.prefix.decode() or "/"
        raise PublicationError(
            f"the catalog of {where} was not laid out by Lode: publishing would remove what is there",
            hint="publish to a repository of its own",
        )
    return found


def find(storage: Reader, root: Catalog, path: str) -> Nested | None:
    """Return the catalog of the tree mounted at `path`, None when there is none."""
    stack = _stack(path.encode())
    above = {one.path: one for one in root.nested}.get(stack)
    if above is None:
        return None
    upper = catalog.load(objects.get(storage, above.hash, Kind.CATALOG))
    return {one.path: one for one in upper.nested}.get(path.encode())


def changed(
    storage: Storage, root: Catalog, changes: Mapping[str, Change], *, name: str, deflate: Deflate, mtime: int
) -> Catalog:
    """Return the root catalog with `changes` by path made, the stacks' catalogs stored; its properties are left out.

    `name` is the repository's, `mtime` the time of one in which nothing is left.
    """
    stacks: dict[bytes, dict[bytes, Change]] = {}
    for path, change in changes.items():
        stacks.setdefault(_stack(path.encode()), {})[path.encode()] = change
    there = mounts(root)
    above: dict[bytes, Change] = {}
    blank = objects.put(storage, b"", Kind.FILE, deflate)
    for stack, wanted in sorted(stacks.items()):
        old = there.get(stack)
        if old is None:
            upper = Catalog(prefix=stack, rows=_rows(stack, {}, mtime, blank))
        else:
            upper = catalog.load(objects.get(storage, old.nested.hash, Kind.CATALOG))
        made = _mounted(storage, upper, wanted, mtime, blank)
        times = {path: mount.mtime for path, mount in mounts(made).items()}
        more = variants.rows(storage, name, stack, times, deflate=deflate)
        made = replace(made, rows=(*made.rows[:2], *sorted((*made.rows[2:], *more), key=lambda row: row.path)))
        if not made.nested:
            above[stack] = Change(mount=None)
            continue
        nested = trees.put(made, storage, deflate)
        head = made.rows[0]
        above[stack] = Change(mount=Mount(nested=nested, folders=head.links - 2, mtime=head.mtime), total=made.total)
    return _mounted(storage, root, above, mtime, blank)


def _mounted(storage: Storage, upper: Catalog, changes: Mapping[bytes, Change], mtime: int, blank: str) -> Catalog:
    found = mounts(upper)
    below = upper.below
    for path, change in changes.items():
        old = found.pop(path, None)
        if old is not None:
            below -= catalog.total(objects.get(storage, old.nested.hash, Kind.CATALOG))
        if change.mount is not None:
            found[path] = change.mount
            below += change.total
    newest = max((mount.mtime for mount in found.values()), default=mtime)
    return Catalog(
        prefix=upper.prefix,
        rows=_rows(upper.prefix, found, newest, blank),
        nested=tuple(found[path].nested for path in sorted(found)),
        below=below,
        properties={"last_modified": str(newest), "revision": "1"},
    )


def _rows(prefix: bytes, mounted: Mapping[bytes, Mount], mtime: int, blank: str) -> tuple[Row, ...]:
    """Return the rows of an upper catalog: its folder, the folders down to the mount points, and those."""
    held: dict[bytes, int] = {prefix: 0}
    for path in sorted(mounted):
        parent = path.rpartition(b"/")[0]
        if parent not in held:
            held[parent] = 0
            held[prefix] += 1
        held[parent] += 1
    flags = DIRECTORY | NESTED_ROOT if prefix else DIRECTORY
    rows = [folder(prefix, folders=held.pop(prefix), mtime=mtime, flags=flags)]
    if prefix:
        rows.append(marker(prefix, blank, mtime=mtime))
    below = [folder(path, folders=count, mtime=_newest(path, mounted)) for path, count in held.items()]
    below += [
        folder(path, folders=one.folders, mtime=one.mtime, flags=DIRECTORY | MOUNT_POINT)
        for path, one in mounted.items()
    ]
    return (*rows, *sorted(below, key=lambda row: row.path))


def _newest(path: bytes, mounted: Mapping[bytes, Mount]) -> int:
    return max(one.mtime for place, one in mounted.items() if place.startswith(path + b"/"))


def _stack(path: bytes) -> bytes:
    return b"/" + path.split(b"/")[1]
