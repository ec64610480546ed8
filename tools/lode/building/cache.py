"""The binary cache: artifacts by node hash, in a folder, with an optional store behind it.

A node's entry is a small JSON document that names its package file by sha256. Files appear whole or not at all, what
is read is checked, and an entry that is not what it says counts as missing. Two builds may share a folder: whoever
builds a node holds its lock.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from lode import scratch, tree
from lode.building.artifact import Artifact, BuildRecord
from lode.digest import Digest
from lode.errors import HostError
from lode.process import Cancelled
from lode.progress import Silent

SCHEMA = 1
_WAIT_S = 0.3
_ENTRY = re.compile(r"nodes/[0-9a-f]{2}/([0-9a-f]{64})\.json")
_SILENT = Silent()


class Unreachable(HostError):
    """A store did not answer, or refused: nothing is known about what it holds."""


class Store(Protocol):
    """Blobs by key (`/`-separated names), see `stores`; every method raises Unreachable when the store does not say."""

    def has(self, key: str) -> bool:
        """Return whether there is a blob of this key."""
        ...

    def get(self, key: str, destination: Path) -> bool:
        """Write the blob to `destination`, which is not yet there; False when there is none."""
        ...

    def put(self, key: str, source: Path) -> None:
        """Keep the content of `source` under `key`; a reader sees all of it or nothing."""
        ...


class FolderStore:
    """A store in a folder, such as one on a shared file system."""

    def __init__(self, root: Path) -> None:
        """Use the folder `root`, which need not exist yet."""
        self._root = root

    def has(self, key: str) -> bool:
        """Return whether there is a blob of this key."""
        return (self._root / key).is_file()

    def get(self, key: str, destination: Path) -> bool:
        """Link or copy the blob to `destination`; False when there is none."""
        try:
            _link(self._root / key, destination)
        except FileNotFoundError:
            return False
        return True

    def put(self, key: str, source: Path) -> None:
        """Keep the content of `source` under `key`; HostError when the folder cannot be written to."""
        path = self._root / key
        with writing(self._root):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mktemp(prefix=f".{path.name}.", dir=path.parent))  # noqa: S306 - linked, not opened
            try:
                _link(source, temporary)
                temporary.chmod(0o644)
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)


class Cache:
    """Artifacts by node hash below one folder; `behind` is asked for what is missing and given what is new."""

    def __init__(self, root: Path, *, behind: Store | None = None, note: Callable[[str], None] = _SILENT.note) -> None:
        """Use the folder `root`, which need not exist yet; `note` is told what a user should know."""
        self.root = root
        self._folder = FolderStore(root)
        self._behind = behind
        self._note = note
        self._told: set[str] = set()
        self.unkept: list[str] = []  # packages that the store behind did not take

    def peek(self, node_hash: Digest) -> Artifact | None:
        """Return the artifact without reading its package file: that is there and has the right size."""
        artifact = self._entry(node_hash)
        if artifact is None:
            return None
        try:
            size = artifact.path.stat().st_size
        except OSError:
            return None
        return artifact if size == artifact.record.size_bytes else None

    def get(self, node_hash: Digest) -> Artifact | None:
        """Return the artifact, its package file checked; None when there is none, or none that is whole."""
        artifact = self._entry(node_hash)
        if artifact is None and self._behind is not None:
            artifact = self._fetched(node_hash, self._behind)
        if artifact is None:
            return None
        try:
            with artifact.path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            sha256 = "missing"
        if sha256 != artifact.sha256:
            self._say(f"the cached {artifact.package} {artifact.version} is damaged ({artifact.path}): built again")
            return None
        return artifact

    def put(self, artifact: Artifact) -> Artifact:
        """Keep the artifact, whose package file may go away afterwards, and return it as it lies in the cache."""
        key = _package_key(artifact.sha256, artifact.path.name)
        document = json.dumps(_document(artifact, key), indent=1, sort_keys=True).encode()
        with writing(self.root):
            self._folder.put(key, artifact.path)
            tree.replace(self.root / entry_key(artifact.node_hash), document)
        kept = _artifact(document, self.root)
        self.share(kept)
        return kept

    def share(self, artifact: Artifact) -> None:
        """Give an artifact of this cache to the store behind, unless it is there: its package first, then its entry."""
        if self._behind is None:
            return
        key, entry = _package_key(artifact.sha256, artifact.path.name), entry_key(artifact.node_hash)
        try:
            if not self._behind.has(entry):
                self._behind.put(key, self.root / key)
                self._behind.put(entry, self.root / entry)
        except Unreachable as error:
            self.unkept.append(artifact.package)
            self._say(f"not shared: {error.faults[0].message}")

    @contextlib.contextmanager
    def building(self, node_hash: Digest, package: str, cancel: threading.Event | None = None) -> Iterator[None]:
        """Hold the right to build a node; wait, and say so, while another process holds it.

        Cancelled once `cancel` is set while waiting.
        """
        from filelock import Timeout

        lock = self._lock(node_hash)
        wait_s = 0.0
        while True:
            try:
                with writing(self.root):
                    lock.acquire(timeout=wait_s)
                break
            except Timeout:
                if wait_s == 0:
                    self._note(f"another process builds {package}: waiting for it")
                wait_s = _WAIT_S
            if cancel is not None and cancel.is_set():
                raise Cancelled(package)
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def trying(self, node_hash: Digest) -> Iterator[bool]:
        """Hold the right to build a node if nobody else does; yields whether it is held."""
        from filelock import Timeout

        lock = self._lock(node_hash)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _say(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._note(text)

    def _lock(self, node_hash: Digest) -> Any:
        from filelock import FileLock

        with writing(self.root):
            (self.root / "locks").mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / "locks" / f"{node_hash}.lock")

    def _entry(self, node_hash: Digest) -> Artifact | None:
        path = self.root / entry_key(node_hash)
        try:
            artifact = _artifact(path.read_bytes(), self.root)
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise HostError(f"the cache may not be read: {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError):
            self._say(f"the cache entry {path} is damaged: built again")
            return None
        return artifact if artifact.node_hash == node_hash else None

    def _fetched(self, node_hash: Digest, store: Store) -> Artifact | None:
        """Bring an entry and its package from the store behind; None when it has none, or none that is what it says."""
        with writing(self.root), scratch.folder("fetch", self.root) as folder:
            entry, content = folder / "entry", folder / "package"
            try:
                if not store.get(entry_key(node_hash), entry):
                    return None
                artifact = _artifact(entry.read_bytes(), self.root)
                if artifact.node_hash != node_hash:
                    raise ValueError(f"node {artifact.node_hash}")
                key = _package_key(artifact.sha256, artifact.path.name)
                if not store.get(key, content):
                    return None
            except Unreachable as error:
                self._say(f"warning: {error.faults[0].message}: going on without it")
                return None
            except (ValueError, KeyError, TypeError):
                self._say(f"warning: the shared cache has a wrong entry for node {node_hash[:16]}: not used")
                return None
            with content.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != artifact.sha256:
                    self._say(f"warning: the shared cache has wrong bytes for {artifact.package}: not used")
                    return None
            self._folder.put(key, content)
            self._folder.put(entry_key(node_hash), entry)
        return artifact


def entry_key(node_hash: Digest) -> str:
    """Return the key of a node's entry in a store."""
    return f"nodes/{node_hash[:2]}/{node_hash}.json"


def entry_node(key: str) -> Digest | None:
    """Return the node whose entry has this key in a store, None when it is the key of something else."""
    match = _ENTRY.fullmatch(key)
    return Digest(match[1]) if match else None


def _package_key(sha256: Digest, name: str) -> str:
    return f"packages/{sha256[:2]}/{sha256}/{name}"


def _document(artifact: Artifact, key: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "package": artifact.package,
        "version": artifact.version,
        "target": artifact.target,
        "node_hash": artifact.node_hash,
        "file": key,
        "sha256": artifact.sha256,
        "inventory": artifact.inventory,
        "index": dict(artifact.index),
        "record": asdict(artifact.record),
    }


def _artifact(content: bytes, root: Path) -> Artifact:
    """Return the artifact that an entry names; ValueError, KeyError or TypeError when it is not a whole entry."""
    document = json.loads(content)
    if document["schema"] != SCHEMA:
        raise ValueError(f"schema {document['schema']}")
    return Artifact(
        package=document["package"],
        version=document["version"],
        target=document["target"],
        node_hash=Digest(document["node_hash"]),
        path=root / _package_key(Digest(document["sha256"]), document["file"].rpartition("/")[2]),
        sha256=Digest(document["sha256"]),
        inventory=Digest(document["inventory"]),
        record=BuildRecord(**document["record"]),
        index=document["index"],
    )


def _link(source: Path, destination: Path) -> None:
    try:
        os.link(source, destination)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copyfile(source, destination)


@contextlib.contextmanager
def writing(root: Path) -> Iterator[None]:
    """Turn what the system says of a cache that cannot be written to, or is full, into a HostError with a hint."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise HostError(
                f"the cache {root} cannot be written to: {error.strerror}",
                hint="set LODE_CACHE to a folder of your own",
            ) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HostError(
                f"the disk of the cache {root} is full", hint="free space, or set LODE_CACHE to a larger disk"
            ) from error
        raise
