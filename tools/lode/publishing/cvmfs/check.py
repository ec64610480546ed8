"""Checking a repository from its public key down to every stored byte, and saying exactly what is broken."""

from __future__ import annotations

import datetime
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa

from lode.errors import LodeError, VerificationError
from lode.inventory import printable
from lode.progress import Progress
from lode.publishing.cvmfs import catalog, history, objects, trust
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.rows import (
    CHUNKED,
    DIRECTORY,
    FILE,
    LINK,
    MARKER,
    MOUNT_POINT,
    NESTED_ROOT,
    Catalog,
    Counters,
    Nested,
    Row,
)
from lode.publishing.cvmfs.storage import Reader
from lode.publishing.cvmfs.stratum import Stratum

_TASK = "check"
_TYPE = stat.S_IFMT(0o177777)  # the bits of a mode that say what an entry is
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
        stored.need(manifest.certificate, Kind.CERTIFICATE, "the certificate")
        stored.need(manifest.metainfo, Kind.METAINFO, "the description of the repository")
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
        self._batch: list[tuple[str, Kind, str | bytes]] = []
        self._running: deque[Future[tuple[int, list[str]]]] = deque()
        self._faults: list[str] = []
        self.number = self.size = 0
        progress.start(_TASK)

    def need(self, name: str, kind: Kind, who: str | bytes) -> None:
        """Look at the object `name`, which `who` needs: words, or the path of an entry."""
        known, own = self._known[kind], bytes.fromhex(name)
        if own in known:
            return
        known.add(own)
        self.number += 1
        self._batch.append((name, kind, who))
        if len(self._batch) == _BATCH:
            self._send()

    def finish(self) -> list[str]:
        """Return what is wrong with the objects, once all have been looked at."""
        self._send()
        while self._running:
            self._collect()
        self._progress.finish(_TASK, f"{self.number} objects")
        return self._faults

    def _send(self) -> None:
        self._running.append(self._pool.submit(_examine, self._storage, self._batch))
        self._batch = []
        if len(self._running) > _AHEAD:
            self._collect()

    def _collect(self) -> None:
        size, faults = self._running.popleft().result()
        self.size += size
        self._faults += faults
        self._progress.advance(_TASK, _BATCH)


def _examine(storage: Reader, batch: Sequence[tuple[str, Kind, str | bytes]]) -> tuple[int, list[str]]:
    """Return the bytes of some objects, and what is wrong with them."""
    size, faults = 0, []
    for name, kind, who in batch:
        place = objects.key(name, kind)
        stored = storage.read(place)
        if stored is None:
            faults.append(f"the object {place} of {_named(who)} is missing")
            continue
        size += len(stored)
        found = objects.name_of(stored)
        if found != name:
            faults.append(f"the object {place} of {_named(who)} is damaged: its hash is {found}")
    return size, faults


class _Walk:
    """All catalogs that were reached, each looked at once, and the objects that they name."""

    def __init__(self, storage: Reader, stored: _Objects) -> None:
        self._storage, self._stored = storage, stored
        self._totals: dict[str, Counters | None] = {}  # of each catalog by hash; None: it cannot be read
        self._tops: dict[str, tuple[bytes, Row]] = {}
        self._sizes: dict[str, int] = {}
        self.entries = 0
        self.faults: list[str] = []

    @property
    def catalogs(self) -> int:
        """Return how many catalogs were looked at."""
        return len(self._totals)

    def whole(self, name: str, size: int, who: str) -> None:
        """Look at the root catalog `name` and all below it."""
        self._visit(name, who)
        if name in self._sizes and self._sizes[name] != size:
            self.faults.append(f"{who}: its root catalog has {self._sizes[name]} bytes, not {size}")
        if name in self._tops and self._tops[name][0]:
            self.faults.append(f"{who}: its root catalog is that of {printable(self._tops[name][0].decode())}")

    def _visit(self, name: str, who: str) -> Counters | None:
        if name in self._totals:
            return self._totals[name]
        self._totals[name] = None
        try:
            content = objects.get(self._storage, name, Kind.CATALOG)
            found = catalog.load(content)
        except LodeError as error:
            self.faults.append(f"{who}: {_sentence(error)}")
            return None
        if not found.rows:
            self.faults.append(f"{who}: the catalog {name} is empty")
            return None
        self._sizes[name] = len(content)
        self._tops[name] = (found.prefix, found.rows[0])
        self.entries += len(found.rows)
        self.faults += _faults(found)
        self._note_objects(found)
        below = Counters()
        mounts = {row.path: row for row in found.rows if row.flags & MOUNT_POINT}
        for nested in found.nested:
            total = self._visit(nested.hash, f"the catalog of {_shown(nested.path)}")
            if total is not None:
                below += total
                self.faults += self._joint(nested, mounts.get(nested.path))
        where = _shown(found.prefix)
        if below != found.below:
            self.faults.append(f"the catalog of {where}: its numbers of what is below are wrong")
        whole = found.total
        if catalog.total(content) != whole:
            self.faults.append(f"the catalog of {where}: its numbers of its own entries are wrong")
        self._totals[name] = whole
        return whole

    def _joint(self, nested: Nested, mount: Row | None) -> Iterator[str]:
        """Yield where a nested catalog and its mount point do not agree."""
        prefix, top = self._tops[nested.hash]
        where = _shown(nested.path)
        if prefix != nested.path:
            yield f"the catalog mounted at {where} is that of {_shown(prefix)}"
        if self._sizes[nested.hash] != nested.size:
            yield f"the catalog of {where} has {self._sizes[nested.hash]} bytes, not {nested.size}"
        if mount is not None and _attributes(mount) != _attributes(top):
            yield f"{where} is not the same in its own catalog and in the one above"

    def _note_objects(self, found: Catalog) -> None:
        for row in found.rows:
            if row.hash:
                self._stored.need(row.hash, Kind.FILE, row.path)
            for chunk in row.chunks:
                self._stored.need(chunk.hash, Kind.CHUNK, row.path)


def _faults(found: Catalog) -> Iterator[str]:
    """Yield what is wrong within one catalog."""
    where = _shown(found.prefix)
    paths = {row.path for row in found.rows}
    folders = dict.fromkeys((row.path for row in found.rows if row.flags & DIRECTORY), 0)
    top = found.rows[0]
    if top.path != found.prefix or bool(top.flags & NESTED_ROOT) != bool(found.prefix):
        yield f"the catalog of {where} does not begin with its folder"
    if len(paths) != len(found.rows):
        yield f"the catalog of {where} has an entry twice"
    mounts = set()
    for row in found.rows[1:]:
        parent = row.path.rpartition(b"/")[0]
        if parent not in folders:
            yield f"{_shown(row.path)} lies in no folder of its catalog"
        elif row.flags & DIRECTORY:
            folders[parent] += 1
    for row in found.rows:
        if row.flags & MOUNT_POINT:
            mounts.add(row.path)
        wrong = _row_fault(row)
        if row.flags & DIRECTORY and not row.flags & MOUNT_POINT and row.links != 2 + folders[row.path]:
            wrong = f"has {row.links} links instead of {2 + folders[row.path]}"
        if wrong:
            yield f"{_shown(row.path)} {wrong}"
    if mounts != {nested.path for nested in found.nested}:
        yield f"the catalog of {where}: its mount points are not those of its list of catalogs"
    if bool(found.prefix) != (found.prefix + b"/" + MARKER in paths):
        yield f"the catalog of {where}: its marker is {'missing' if found.prefix else 'in the root folder'}"


def _row_fault(row: Row) -> str | None:
    kind = row.mode & _TYPE
    if row.flags & DIRECTORY:
        return None if kind == stat.S_IFDIR and not row.hash else "is a folder with the mode or content of none"
    if row.flags & LINK:
        sound = kind == stat.S_IFLNK and row.flags & FILE and not row.hash and row.size == len(row.target)
        return None if sound else "is a link that does not hold together"
    if kind != stat.S_IFREG or not row.flags & FILE or row.target:
        return "is a file with the mode of none"
    if not row.flags & CHUNKED:
        return None if row.hash and not row.chunks else "is a file without content"
    end = 0
    for chunk in row.chunks:
        if chunk.offset != end:
            return f"has no chunk at byte {end}"
        end += chunk.size
    return None if row.chunks and end == row.size else f"has {end} bytes in chunks instead of {row.size}"


def _attributes(row: Row) -> tuple[int, ...]:
    return (row.links, row.size, row.mode, row.mtime, row.uid, row.gid)


def _sentence(error: LodeError) -> str:
    return error.faults[0].message


def _named(who: str | bytes) -> str:
    return who if isinstance(who, str) else _shown(who)


def _shown(path: bytes) -> str:
    return printable(path.decode("utf-8", "surrogateescape")) or "/"
