"""Removing what no kept revision reaches. What is to go is found first, from a repository that must be whole."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from lode.errors import VerificationError
from lode.progress import Progress
from lode.publishing.cvmfs import catalog, manifest, objects, stratum
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.storage import Storage
from lode.publishing.cvmfs.stratum import Head, Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What was removed, or would be."""

    revisions: tuple[int, ...]  # kept, newest first; those that only a tag keeps are not among them
    kept: int  # objects
    removed: int
    removed_bytes: int
    dry_run: bool


def collect(there: Stratum, *, now: datetime.datetime, dry_run: bool, progress: Progress) -> Collection:
    """Remove every object that neither the present revision, a tag nor a revision worth keeping reaches.

    A revision is kept by the rules of the repository: while fewer than `revisions` are, or when it was the present one
    at some time in the last `days`. VerificationError, and nothing removed, when the present revision or a tag cannot
    be walked through. A kill leaves objects that the next call removes.
    """
    storage = there.storage
    with storage.writer():
        head = stratum.read(there)
        needed = {
            objects.key(head.manifest.certificate, Kind.CERTIFICATE),
            objects.key(head.manifest.history, Kind.HISTORY),
            objects.key(head.manifest.metainfo, Kind.METAINFO),
        }
        for name in dict.fromkeys([head.manifest.root, *(tag.root for tag in head.tags)]):
            _reach(storage, name, needed)
        revisions = _recent(there, head, now, needed)
        garbage = sorted(
            (place, size) for place, size in storage.listing() if place not in needed and objects.parse_key(place)
        )
        if not dry_run:
            if storage.read(manifest.KEY) != head.content:
                raise VerificationError("another publisher has put a revision in between", hint="call again")
            progress.start("gc", total=float(len(garbage)))
            for place, _ in garbage:
                storage.delete(place)
                progress.advance("gc", 1)
            progress.finish("gc", f"{len(garbage)} objects removed")
    return Collection(
        revisions=revisions,
        kept=len(needed),
        removed=len(garbage),
        removed_bytes=sum(size for _, size in garbage),
        dry_run=dry_run,
    )


def _recent(there: Stratum, head: Head, now: datetime.datetime, needed: set[str]) -> tuple[int, ...]:
    """Add to `needed` what the revisions worth keeping reach, and return their numbers.

    What an earlier collection took from a revision shows as a missing catalog: that one is gone, and all before it.
    """
    retention = there.repository.retention
    since = int((now - datetime.timedelta(days=retention.days)).timestamp())
    kept = [head.manifest.revision]
    times = {one.root: one.time for one in head.past}
    current, properties = head.manifest.root, head.root.properties
    while "previous_revision" in properties:
        replaced = times.get(current, head.manifest.time)  # when the one before ceased to be the present one
        if replaced < since and len(kept) >= retention.revisions:
            break
        name = properties["previous_revision"]
        reached: set[str] = set(needed)
        try:
            properties = stratum.load_root(there.storage, name).properties
            _reach(there.storage, name, reached)
        except VerificationError:
            break
        needed |= reached
        current = name
        kept.append(int(properties["revision"]))
    return tuple(kept)


def _reach(storage: Storage, name: str, needed: set[str]) -> None:
    """Add the catalog `name`, all catalogs below it, and all objects that they name."""
    place = objects.key(name, Kind.CATALOG)
    if place in needed:
        return
    files, chunks, nested = catalog.references(objects.get(storage, name, Kind.CATALOG))
    for one in nested:
        _reach(storage, one.hash, needed)
    needed |= {objects.key(file.hex(), Kind.FILE) for file in files}
    needed |= {objects.key(chunk.hex(), Kind.CHUNK) for chunk in chunks}
    needed.add(place)
