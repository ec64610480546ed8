"""What the tests of the publisher share: trees, keys made once, a repository in a folder, and storages that fail."""

from __future__ import annotations

import datetime
import functools
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lode import inventory
from lode.definitions.repository import Compression, Nesting, Repository, Retention
from lode.progress import Silent
from lode.publishing.cvmfs import compress, keys, publish, stratum
from lode.publishing.cvmfs.cache import Cache
from lode.publishing.cvmfs.keys import KeyFiles, SigningKey
from lode.publishing.cvmfs.publish import Publication, Source
from lode.publishing.cvmfs.storage import Folder, Storage
from lode.publishing.cvmfs.stratum import Stratum

FQRN = "test.example.org"
NOW = datetime.datetime(2026, 11, 22, 12, 30, tzinfo=datetime.UTC)
MTIME = 1793491200  # 2026-11-01
MOUNT = "/mini/2026.11/debian12-x86_64"
REPOSITORY = Repository(
    name=FQRN,
    summary="Tests",
    compression=Compression(engine="zlib", level=1),
    nesting=Nesting(cut=("lib/python*",), split=100, maximum=1000),
    retention=Retention(days=30, revisions=2),
    chunk_bytes=1 << 16,
)


@functools.cache
def key_pair(folder: Path, name: str = FQRN) -> KeyFiles:
    """Return keys that all tests of a run share: making them takes longer than most tests."""
    files = KeyFiles(folder=folder, name=name)
    keys.generate(files, now=NOW)
    return files


def plant(root: Path, files: Mapping[str, bytes | str | None], *, extra: int = 0) -> Path:
    """Make a tree and its inventory: bytes are files, a text is a link's target, None an empty folder."""
    root.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        place = root / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            place.mkdir()
        elif isinstance(content, str):
            place.symlink_to(content)
        else:
            place.write_bytes(content)
    for number in range(extra):
        place = root / "share" / f"{number % 7}" / f"{number}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{number}\n" * (number % 50))
    seal(root)
    return root


def seal(root: Path) -> None:
    """Write the tree's inventory anew."""
    place = root / ".lode" / "inventory.jsonl"
    place.parent.mkdir(exist_ok=True)
    inventory.write(list(inventory.scan(root, exclude=[".lode/inventory.jsonl"])), place)


def source(root: Path, mount: str = MOUNT) -> Source:
    place = root / ".lode" / "inventory.jsonl"
    digest = inventory.digest(inventory.read(place))
    return Source(root=root, inventory=place, digest=digest, mount=mount, mtime=MTIME)


class Ground:
    """A repository in a folder, and what is needed to work on it."""

    def __init__(self, folder: Path, key_folder: Path, repository: Repository = REPOSITORY) -> None:
        self.folder = folder / "served"
        self.files = key_pair(key_folder)
        self.key: SigningKey = keys.load_signing(self.files, None)
        self.master = keys.load_private(self.files.master, None)
        self.repository = repository
        self.cache_file = folder / "cache" / "contents.sqlite"

    def stratum(self, storage: Storage | None = None) -> Stratum:
        return Stratum(
            repository=self.repository,
            storage=storage or Folder(self.folder),
            public=keys.read_public(self.files),
            deflate=compress.deflate(self.repository.compression),
        )

    def create(self, now: datetime.datetime = NOW) -> Ground:
        stratum.create(self.stratum(), self.key, self.master, now=now)
        return self

    def publish(
        self, *sources: Source, storage: Storage | None = None, now: datetime.datetime = NOW, **more: Any
    ) -> Publication:
        cache = Cache(self.cache_file)
        try:
            return publish.publish(
                self.stratum(storage), self.key, sources, cache=cache, now=now, jobs=2, progress=Silent(), **more
            )
        finally:
            cache.close()

    def fetch(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    @property
    def public(self) -> bytes:
        return self.files.public.read_bytes()


class Stopped(BaseException):
    """The process ended here."""


class Failing:
    """A storage that fails at its `at`-th call: before doing it, or after (`late`), with `error`."""

    def __init__(self, inner: Storage, at: int, error: BaseException, *, late: bool = False) -> None:
        self._inner, self._at, self._error, self._late = inner, at, error, late
        self.calls = 0

    def _call(self, name: str, *arguments: Any) -> Any:
        self.calls += 1
        failing = self.calls == self._at or (self.calls > self._at and isinstance(self._error, Stopped))
        if failing and (not self._late or self.calls > self._at):
            raise self._error
        result = getattr(self._inner, name)(*arguments)
        if failing:
            raise self._error
        return result

    def read(self, key: str) -> bytes | None:
        return self._call("read", key)  # type: ignore[no-any-return]

    def size(self, key: str) -> int | None:
        return self._call("size", key)  # type: ignore[no-any-return]

    def write(self, key: str, content: bytes) -> bool:
        return self._call("write", key, content)  # type: ignore[no-any-return]

    def replace(self, key: str, content: bytes) -> None:
        self._call("replace", key, content)

    def delete(self, key: str) -> None:
        self._call("delete", key)

    def listing(self) -> Iterator[tuple[str, int]]:
        return self._call("listing")  # type: ignore[no-any-return]

    def flush(self) -> None:
        self._call("flush")

    def writer(self) -> AbstractContextManager[None]:
        return self._inner.writer()
