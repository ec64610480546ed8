"""Storing the contents of a tree's files: each once, read once, proved against the inventory while it is read."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from io import FileIO
from itertools import islice
from pathlib import Path

from lode.definitions.repository import Repository
from lode.errors import PublicationError
from lode.inventory import Entry, EntryType, printable
from lode.progress import Progress
from lode.publishing.cvmfs import objects
from lode.publishing.cvmfs.cache import Cache, Content
from lode.publishing.cvmfs.listing import Listing
from lode.publishing.cvmfs.objects import Deflate, Kind
from lode.publishing.cvmfs.rows import Chunk
from lode.publishing.cvmfs.storage import Storage

Lookup = Callable[[Sequence[Entry]], Mapping[str, Content]]  # of a group of entries, by SHA-256

_GROUP = 5000  # entries that are looked up at once
_BATCH = 64  # files that a thread takes at once
_BATCH_BYTES = 1 << 20  # or this many bytes
_AHEAD = 8  # batches a thread may have waiting
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is known to be stored, which the storage is not asked for: by what the present revision reaches."""

    storage: Storage
    reached: Collection[bytes] = frozenset()  # hashes of objects
    contents: Mapping[str, Content] = field(default_factory=dict)  # by SHA-256

    def has(self, content: Content) -> bool:
        """Return whether all objects of `content` are there, whole."""
        if content.hash is not None and bytes.fromhex(content.hash) in self.reached:
            return True
        if content.chunks and all(bytes.fromhex(chunk.hash) in self.reached for chunk in content.chunks):
            return True
        return all(self.storage.size(place) == size for place, size in content.objects())


def form(repository: Repository) -> str:
    """Return what decides, besides a content itself, as which objects it is stored."""
    return f"{repository.compression.engine}:{repository.compression.level}:{repository.chunk_bytes}"


def grouped(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield the entries in groups of which each is looked up at once."""
    waiting = iter(entries)
    while group := list(islice(waiting, _GROUP)):
        yield group


def known(group: Iterable[Entry], repository: Repository, cache: Cache) -> Mapping[str, Content]:
    """Return how the files of `group` were stored, by SHA-256, as far as that is remembered."""
    return cache.contents(form(repository), {entry.content for entry in group if entry.type is EntryType.FILE})


def missing(
    group: Iterable[Entry], repository: Repository, held: Held, cache: Cache
) -> tuple[dict[str, Content], dict[str, Entry]]:
    """Return which contents are stored already, by SHA-256, and of each other one a file that holds it."""
    wanted = {entry.content: entry for entry in group if entry.type is EntryType.FILE}
    there = {content: held.contents[content] for content in wanted if content in held.contents}
    there |= {
        content: stored
        for content, stored in cache.contents(form(repository), wanted.keys() - there.keys()).items()
        if held.has(stored)
    }
    return there, {content: entry for content, entry in wanted.items() if content not in there}


def store(
    listing: Listing,
    repository: Repository,
    held: Held,
    cache: Cache,
    *,
    deflate: Deflate,
    jobs: int,
    progress: Progress,
) -> Lookup:
    """Store the contents of all files of a tree, those not known before, and return what tells as what they are stored.

    PublicationError when a file is not what the inventory says, or changes meanwhile: then the repository has some
    objects more, which nothing refers to.
    """
    task = "compress"
    progress.start(task, total=float(listing.size), unit="B")

    def work(batch: Sequence[Entry]) -> dict[str, Content]:
        found = {}
        for entry in batch:
            found[entry.content] = _store(listing.root, entry, repository.chunk_bytes, held.storage, deflate)
            progress.advance(task, entry.size)
        return found

    waiting: deque[Future[dict[str, Content]]] = deque()
    fresh = there = 0
    whole: dict[str, Content] = {}  # of a tree that is held

    def done(found: dict[str, Content]) -> None:
        cache.remember(form(repository), found)
        if listing.held is not None:
            whole.update(found)

    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="cvmfs") as pool:
        try:
            for group in grouped(listing):
                stored, new = missing(group, repository, held, cache)
                if listing.held is not None:
                    whole |= stored
                there, fresh = there + len(stored), fresh + len(new)
                progress.advance(task, sum(content.size for content in stored.values()))
                for batch in _batches(list(new.values())):
                    waiting.append(pool.submit(work, batch))
                    if len(waiting) > _AHEAD * jobs:
                        done(waiting.popleft().result())
            while waiting:
                done(waiting.popleft().result())
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            progress.finish(task, "failed")
            raise
    progress.finish(task, f"{fresh} contents new, {there} known")
    if listing.held is not None:
        return lambda _: whole
    return partial(known, repository=repository, cache=cache)


def _store(root: Path, entry: Entry, chunk_bytes: int, storage: Storage, deflate: Deflate) -> Content:
    hashed = hashlib.sha256()
    pieces: list[tuple[Chunk, int]] = []
    offset = 0
    chunked = entry.size > chunk_bytes
    kind = Kind.CHUNK if chunked else Kind.FILE
    with _opened(root, entry) as file:
        for piece in _pieces(file, chunk_bytes, entry):
            hashed.update(piece)
            stored = deflate(piece)
            name = objects.name_of(stored)
            storage.write(objects.key(name, kind), stored)
            pieces.append((Chunk(offset=offset, size=len(piece), hash=name), len(stored)))
            offset += len(piece)
    if offset != entry.size or hashed.hexdigest() != entry.content:
        raise PublicationError(
            f"{printable(entry.path)} is not the file of the tree's inventory",
            hint="something wrote to the tree; install it again. Nothing was published",
        )
    return Content(
        size=offset,
        hash=None if chunked else pieces[0][0].hash,
        chunks=tuple(chunk for chunk, _ in pieces) if chunked else (),
        stored=tuple(size for _, size in pieces),
    )


def _opened(root: Path, entry: Entry) -> FileIO:
    try:
        return FileIO(os.open(os.path.join(os.fsencode(root), os.fsencode(entry.path)), _OPEN), "rb")
    except OSError as error:
        raise _unreadable(entry, error) from error


def _pieces(file: FileIO, chunk_bytes: int, entry: Entry) -> Iterator[bytes]:
    """Yield the file in pieces, at least one, and stop soon after its size: a file that grows has no end."""
    done = 0
    while True:
        try:
            piece = _read(file, min(chunk_bytes, entry.size - done + 1))
        except OSError as error:
            raise _unreadable(entry, error) from error
        if piece or not done:
            yield piece
        done += len(piece)
        if len(piece) < chunk_bytes or done > entry.size:
            return


def _read(file: FileIO, size: int) -> bytes:
    """Return the next `size` bytes of the file, fewer only at its end."""
    first: bytes = file.read(size) or b""
    if not first or len(first) == size:
        return first
    parts, left = [first], size - len(first)
    while left and (part := file.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _unreadable(entry: Entry, error: OSError) -> PublicationError:
    return PublicationError(
        f"{printable(entry.path)} cannot be read: {error.strerror}",
        hint="install the tree again; nothing was published",
    )


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    waiting = iter(sorted(entries, key=lambda entry: -entry.size))  # the largest first: threads end together
    while batch := list(islice(waiting, 1)):
        size = batch[0].size
        while size < _BATCH_BYTES and len(batch) < _BATCH and (more := next(waiting, None)) is not None:
            batch.append(more)
            size += more.size
        yield batch
