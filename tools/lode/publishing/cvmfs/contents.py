"""Storing the contents of a tree's files: each once, read once, proved against the inventory while it is read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from itertools import islice
from pathlib import Path

from lode.definitions.repository import Repository
from lode.errors import PublicationError
from lode.inventory import Entry, EntryType, printable
from lode.progress import Progress
from lode.publishing.cvmfs import objects
from lode.publishing.cvmfs.cache import Cache, Content
from lode.publishing.cvmfs.objects import Deflate, Kind
from lode.publishing.cvmfs.rows import Chunk
from lode.publishing.cvmfs.storage import Storage

_BATCH = 64  # files that a thread takes at once
_BATCH_BYTES = 1 << 20  # or this many bytes
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def form(repository: Repository) -> str:
    """Return what decides, besides a content itself, as which objects it is stored."""
    return f"{repository.compression.engine}:{repository.compression.level}:{repository.chunk_bytes}"


def missing(
    entries: Sequence[Entry], repository: Repository, storage: Storage, cache: Cache
) -> tuple[dict[str, Content], dict[str, Entry]]:
    """Return which contents the storage has already, by SHA-256, and of each other one a file that holds it."""
    wanted = {entry.content: entry for entry in entries if entry.type is EntryType.FILE}
    known = {
        content: stored
        for content, stored in cache.contents(form(repository), wanted).items()
        if all(storage.size(place) == size for place, size in stored.objects())
    }
    return known, {content: entry for content, entry in wanted.items() if content not in known}


def store(
    root: Path,
    entries: Sequence[Entry],
    repository: Repository,
    storage: Storage,
    cache: Cache,
    *,
    deflate: Deflate,
    jobs: int,
    progress: Progress,
) -> Mapping[str, Content]:
    """Return as which objects the contents of all files in `entries` are stored; those not known before are read.

    PublicationError when a file is not what the inventory says, or changes meanwhile: then the repository has some
    objects more, which nothing refers to.
    """
    known, new = missing(entries, repository, storage, cache)
    task = "compress"
    progress.start(task, total=float(sum(entry.size for entry in new.values())), unit="B")

    def work(batch: Sequence[Entry]) -> dict[str, Content]:
        found = {}
        for entry in batch:
            found[entry.content] = _store(root, entry, repository.chunk_bytes, storage, deflate)
            progress.advance(task, entry.size)
        return found

    added: dict[str, Content] = {}
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="cvmfs") as pool:
        try:
            for found in pool.map(work, _batches(list(new.values()))):
                added |= found
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            progress.finish(task, "failed")
            raise
    cache.remember(form(repository), added)
    progress.finish(task, f"{len(added)} contents new, {len(known)} known")
    return {**known, **added}


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
