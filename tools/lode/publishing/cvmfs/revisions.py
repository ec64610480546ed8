"""Going between revisions: naming one, returning to one, and telling two apart."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from lode.errors import PublicationError
from lode.publishing.cvmfs import catalog, objects, stratum, trust
from lode.publishing.cvmfs.history import PREVIOUS, TRUNK, Tag
from lode.publishing.cvmfs.keys import SigningKey
from lode.publishing.cvmfs.manifest import Manifest
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.rows import DIRECTORY, MARKER, Catalog, Row
from lode.publishing.cvmfs.storage import Storage
from lode.publishing.cvmfs.stratum import Head, Stratum
from lode.yamldoc import meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A path that differs between two revisions."""

    path: bytes
    kind: str  # "added", "removed" or "changed"
    old: Row | None
    new: Row | None


def tag(
    there: Stratum, key: SigningKey, name: str, description: str, *, now: datetime.datetime, force: bool = False
) -> Manifest:
    """Name the present revision; PublicationError when the name is taken, unless `force`."""
    with there.storage.writer():
        head = _writable(there, now)
        if not force and any(one.name == name for one in head.tags):
            raise PublicationError(f"the tag {name} exists", hint="--force moves it to the present revision")
        added = Tag(name=name, root="", root_bytes=0, revision=0, time=0, description=description)
        others = [one for one in head.tags if one.name != name]
        return stratum.retag(there, head, [*others, added], key, now=now)


def untag(there: Stratum, key: SigningKey, name: str, *, now: datetime.datetime) -> Manifest:
    """Remove a tag; what only it kept may be removed by the next gc."""
    with there.storage.writer():
        head = _writable(there, now)
        find(head, name)
        if name in (TRUNK, PREVIOUS):
            raise PublicationError(f"the tag {name} is Lode's own and stays")
        return stratum.retag(there, head, [one for one in head.tags if one.name != name], key, now=now)


def rollback(there: Stratum, key: SigningKey, name: str, *, now: datetime.datetime) -> Manifest:
    """Put a new revision that holds what the tag `name` does; tags stay as they are.

    PublicationError when there is no such tag, VerificationError when a catalog of it is missing or damaged.
    """
    with there.storage.writer():
        head = _writable(there, now)
        wanted = find(head, name)
        root = stratum.load_root(there.storage, wanted.root)
        _require_catalogs(there.storage, root)
        return stratum.commit(there, head, root, head.tags, key, now=now)


def find(head: Head, name: str) -> Tag:
    """Return the tag called `name`; PublicationError with the nearest when there is none."""
    names = {one.name: one for one in head.tags}
    if name not in names:
        hint = meant(name, names) or f"there are: {', '.join(names)}"
        raise PublicationError(f"there is no tag {name}", hint=hint)
    return names[name]


def diff(storage: Storage, old: str, new: str) -> Iterator[Change]:
    """Yield what differs between the catalogs of hashes `old` and `new`, in order of path; markers are left out.

    Catalogs that both have are not opened.
    """
    for change in sorted(_differences(storage, old, new), key=lambda one: one.path):
        if not change.path.endswith(b"/" + MARKER):
            yield change


def _differences(storage: Storage, old: str | None, new: str | None) -> Iterator[Change]:
    if old == new:
        return
    left, right = _load(storage, old), _load(storage, new)
    lefts = {row.path: row for row in left.rows[1:]} if left else {}
    rights = {row.path: row for row in right.rows[1:]} if right else {}
    below_left = {one.path: one.hash for one in left.nested} if left else {}
    below_right = {one.path: one.hash for one in right.nested} if right else {}
    for path in sorted(below_left.keys() | below_right.keys()):
        one, other = below_left.get(path), below_right.get(path)
        if (one is None) != (other is None) and path in lefts and path in rights:
            # cut off on one side only: the rows of both sides must be compared as one
            lefts |= _all_rows(storage, one) if one else {}
            rights |= _all_rows(storage, other) if other else {}
        else:
            yield from _differences(storage, one, other)
    for path in lefts.keys() | rights.keys():
        before, after = lefts.get(path), rights.get(path)
        if before is None or after is None:
            yield Change(path=path, kind="added" if before is None else "removed", old=before, new=after)
        elif _content(before) != _content(after):
            yield Change(path=path, kind="changed", old=before, new=after)


def _all_rows(storage: Storage, name: str) -> dict[bytes, Row]:
    found = _load(storage, name)
    rows = {row.path: row for row in found.rows[1:]} if found else {}
    for one in found.nested if found else ():
        rows |= _all_rows(storage, one.hash)
    return rows


def _load(storage: Storage, name: str | None) -> Catalog | None:
    return catalog.load(objects.get(storage, name, Kind.CATALOG)) if name else None


def _content(row: Row) -> tuple[object, ...]:
    """Return what makes a row another: not how its catalog is cut, nor the times and links that follow from others."""
    if row.is_folder:
        return (DIRECTORY, row.mode)
    return (row.flags, row.mode, row.size, row.hash, row.target, row.chunks)


def _require_catalogs(storage: Storage, root: Catalog) -> None:
    for one in root.nested:
        _require_catalogs(storage, catalog.load(objects.get(storage, one.hash, Kind.CATALOG)))


def _writable(there: Stratum, now: datetime.datetime) -> Head:
    head = stratum.read(there)
    trust.require_valid(head.whitelist, now)
    return head
