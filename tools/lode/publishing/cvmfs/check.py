"""Checking a repository from its public key down to every stored byte, and saying exactly what is broken."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from cryptography.hazmat.primitives.asymmetric import rsa

from lode.errors import LodeError, VerificationError
from lode.progress import Progress
from lode.publishing.cvmfs import findings, history, objects, trust
from lode.publishing.cvmfs.findings import Findings, shown
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.rows import Counters, Nested
from lode.publishing.cvmfs.storage import Reader
from lode.publishing.cvmfs.stratum import Stratum

_TASK = "check"
_BATCH = 128  # objects that a thread takes at once
_AHEAD = 256  # batches that may wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found. A repository is sound when there are no faults."""

    revision: int | None
    root: str | None
    catalogs: int
    entries: int
    objects: int
    stored_bytes: int
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def check(there: Stratum, *, now: datetime.datetime, jobs: int, progress: Progress) -> Report:
    """Return what is wrong with the present revision and all that tags name: signatures, catalogs, every object."""
    return examine(there.storage, there.repository.name, there.public, now=now, jobs=jobs, progress=progress)


def examine(
    storage: Reader, name: str, public: rsa.RSAPublicKey, *, now: datetime.datetime, jobs: int, progress: Progress
) -> Report:
    """Return the same of a repository of which nothing is known but its name and public key."""
    faults: list[str] = []
    try:
        chain = trust.chain(storage, name, public)
        if chain is None:
            raise VerificationError("there is no manifest")
    except LodeError as error:
        return Report(
            revision=None,
            root=None,
            catalogs=0,
            entries=0,
            objects=0,
            stored_bytes=0,
            faults=(_sentence(error),),
            warnings=(),
        )
    if not chain.whitelist.valid_at(now):
        faults.append(f"the whitelist expired on {chain.whitelist.expires:%Y-%m-%d %H:%M} UTC")
    soon = trust.warning(chain.whitelist, now)
    manifest = chain.manifest
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="check") as pool:
        stored = _Objects(storage, pool, progress)
        walk = _Walk(storage, stored)
        stored.need(Kind.CERTIFICATE, [(bytes.fromhex(manifest.certificate), "the certificate")])
        stored.need(Kind.METAINFO, [(bytes.fromhex(manifest.metainfo), "the description of the repository")])
        walk.whole(manifest.root, manifest.root_bytes, "the present revision")
        try:
            for tag in history.load(objects.get(storage, manifest.history, Kind.HISTORY)):
                walk.whole(tag.root, tag.root_bytes, f"the tag {tag.name}")
        except LodeError as error:
            faults.append(_sentence(error))
        broken = stored.finish()
    return Report(
        revision=manifest.revision,
        root=manifest.root,
        catalogs=walk.catalogs,
        entries=walk.entries,
        objects=stored.number,
        stored_bytes=stored.size,
        faults=tuple(dict.fromkeys([*faults, *walk.faults, *broken])),
        warnings=(soon,) if soon else (),
    )


class _Objects:
    """The objects that were asked for, each once: their bytes are hashed in threads while catalogs are read."""

    def __init__(self, storage: Reader, pool: ThreadPoolExecutor, progress: Progress) -> None:
        self._storage, self._pool, self._progress = storage, pool, progress
        self._known: dict[Kind, set[bytes]] = {kind: set() for kind in Kind}
        self._running: deque[Future[tuple[int, list[str]]]] = deque()
        self._faults: list[str] = []
        self.number = self.size = 0
        progress.start(_TASK)

    def need(self, kind: Kind, wanted: Iterable[tuple[bytes, str | bytes]]) -> None:
        """Look at some objects by hash, each with who needs it: words, or the path of an entry."""
        known = self._known[kind]
        new = {name: who for name, who in wanted if name not in known}
        known.update(new)
        self.number += len(new)
        waiting = iter(new.items())
        while batch := list(islice(waiting, _BATCH)):
            self._running.append(self._pool.submit(_examine, self._storage, kind, batch))
            if len(self._running) > _AHEAD:
                self._collect()

    def finish(self) -> list[str]:
        """Return what is wrong with the objects, once all have been looked at."""
        while self._running:
            self._collect()
        self._progress.finish(_TASK, f"{self.number} objects")
        return self._faults

    def _collect(self) -> None:
        size, faults = self._running.popleft().result()
        self.size += size
        self._faults += faults
        self._progress.advance(_TASK, _BATCH)


def _examine(storage: Reader, kind: Kind, batch: Sequence[tuple[bytes, str | bytes]]) -> tuple[int, list[str]]:
    """Return the bytes of some objects, and what is wrong with them."""
    size, faults = 0, []
    for name, who in batch:
        place = objects.key(name.hex(), kind)
        stored = storage.read(place)
        if stored is None:
            faults.append(f"the object {place} of {_named(who)} is missing")
            continue
        size += len(stored)
        if objects.digest(stored) != name:
            found = objects.name_of(stored)
            faults.append(f"the object {place} of {_named(who)} is damaged: its hash is {found}")
    return size, faults


class _Walk:
    """All catalogs that were reached, each looked at once, and the objects that they name."""

    def __init__(self, storage: Reader, stored: _Objects) -> None:
        self._storage, self._stored = storage, stored
        self._totals: dict[str, Counters | None] = {}  # of each catalog by hash; None: it cannot be read
        self._tops: dict[str, _Top] = {}
        self.entries = 0
        self.faults: list[str] = []

    @property
    def catalogs(self) -> int:
        """Return how many catalogs were looked at."""
        return len(self._totals)

    def whole(self, name: str, size: int, who: str) -> None:
        """Look at the root catalog `name` and all below it."""
        self._visit(name, who)
        top = self._tops.get(name)
        if top is not None and top.size != size:
            self.faults.append(f"{who}: its root catalog has {top.size} bytes, not {size}")
        if top is not None and top.prefix:
            self.faults.append(f"{who}: its root catalog is that of {shown(top.prefix)}")

    def _visit(self, name: str, who: str) -> Counters | None:
        if name in self._totals:
            return self._totals[name]
        self._totals[name] = None
        try:
            found = findings.find(objects.get(self._storage, name, Kind.CATALOG), self._stored.need)
        except LodeError as error:
            self.faults.append(f"{who}: {_sentence(error)}")
            return None
        self._tops[name] = _Top(prefix=found.prefix, size=found.size, attributes=found.top)
        self.entries += found.entries
        self.faults += found.faults
        below = Counters()
        for nested in found.nested:
            total = self._visit(nested.hash, f"the catalog of {shown(nested.path)}")
            if total is not None:
                below += total
                self.faults += self._joint(nested, found)
        where = shown(found.prefix)
        if below != found.below:
            self.faults.append(f"the catalog of {where}: its numbers of what is below are wrong")
        if found.own != found.counters:
            self.faults.append(f"the catalog of {where}: its numbers of its own entries are wrong")
        self._totals[name] = found.counters + found.below
        return self._totals[name]

    def _joint(self, nested: Nested, above: Findings) -> Iterator[str]:
        """Yield where a nested catalog and its mount point do not agree."""
        top = self._tops[nested.hash]
        where = shown(nested.path)
        if top.prefix != nested.path:
            yield f"the catalog mounted at {where} is that of {shown(top.prefix)}"
        if top.size != nested.size:
            yield f"the catalog of {where} has {top.size} bytes, not {nested.size}"
        if above.mounts.get(nested.path, top.attributes) != top.attributes:
            yield f"{where} is not the same in its own catalog and in the one above"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Top:
    """What is kept of a catalog that was looked at."""

    prefix: bytes
    size: int
    attributes: tuple[int, ...]  # of its own folder


def _sentence(error: LodeError) -> str:
    return error.faults[0].message


def _named(who: str | bytes) -> str:
    return who if isinstance(who, str) else shown(who)
