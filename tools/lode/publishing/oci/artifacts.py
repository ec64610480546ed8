"""A repository of a registry as a store of built packages: each node an OCI artifact, its tag the node's hash.

The artifact's blobs are the node's entry and its package file, under the digests that they have anyway; the keys are
those of `building.cache`. A signed index of the store (see `workflow.store_index`) is an artifact of its own. What
cannot be asked is Unreachable, as every store says it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from lode.building.cache import Unreachable, entry_node
from lode.digest import Digest
from lode.errors import LodeError
from lode.publishing.oci import store as oci
from lode.publishing.oci.store import Descriptor, OciStore

ARTIFACT_TYPE = "application/vnd.lode.node.v1"
INDEX_TYPE = "application/vnd.lode.store-index.v1"
_ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"
_ENTRY_TYPE, _PACKAGE_TYPE = "application/vnd.lode.node.entry.v1+json", "application/vnd.lode.node.package.v1"
_INDEX = re.compile(r"indexes/([a-z0-9-]+)/([0-9A-Za-z._-]+)/([0-9]+)\.dsse")
_PACKAGE = re.compile(r"packages/[0-9a-f]{2}/([0-9a-f]{64})/[^/]+")
_PIECE = 1 << 20

T = TypeVar("T")


class ArtifactStore:
    """Built packages in a repository; a `building.cache.Store`."""

    def __init__(self, repository: OciStore, name: str) -> None:
        """Use `repository`, called `name` in messages."""
        self._repository = repository
        self._name = name

    def has(self, key: str) -> bool:
        """Return whether there is an entry, an index or a package of this key."""
        if tag := _tag(key):
            return self._asked(lambda: self._repository.get_manifest(tag)) is not None
        digest = _package(key)
        return digest is not None and self._asked(lambda: self._repository.has_blob(digest))

    def get(self, key: str, destination: Path) -> bool:
        """Write the entry, index or package to `destination`; False when there is none."""
        digest = self._tagged(tag) if (tag := _tag(key)) else _package(key)
        if digest is None or not self._asked(lambda: self._repository.has_blob(digest)):
            return False

        def write() -> None:
            with destination.open("wb") as file:
                for piece in self._repository.get_blob(digest):
                    file.write(piece)

        self._asked(write)
        return True

    def put(self, key: str, source: Path) -> None:
        """Keep a package as a blob; an index, and an entry, whose package must be there, as the artifact of a tag."""
        if node_hash := entry_node(key):
            content = source.read_bytes()
            self._asked(lambda: self._put_entry(node_hash, content))
        elif tag := _tag(key):
            self._asked(lambda: self._put_index(tag, source.read_bytes()))
        elif _package(key) is not None:
            blob = _described(source, _PACKAGE_TYPE)
            self._asked(lambda: self._repository.put_blob(blob, lambda offset: _pieces(source, offset)))

    def _tagged(self, tag: str) -> Digest | None:
        """Return the digest of the entry or index that has a tag, None when the repository has no such artifact."""
        manifest = self._asked(lambda: self._repository.get_manifest(tag))
        blobs = self._asked(manifest.blobs) if manifest is not None else ()
        return next((blob.digest for blob in blobs if blob.media_type in (_ENTRY_TYPE, _ENVELOPE_TYPE)), None)

    def _put_index(self, tag: str, content: bytes) -> None:
        if self._repository.get_manifest(tag) is not None:
            return
        config = oci.put_bytes(self._repository, oci.EMPTY_CONTENT, oci.EMPTY)
        document = {
            "schemaVersion": 2,
            "mediaType": oci.MANIFEST,
            "artifactType": INDEX_TYPE,
            "config": config.document(),
            "layers": [oci.put_bytes(self._repository, content, _ENVELOPE_TYPE).document()],
        }
        self._repository.put_manifest(oci.manifest(document), tag=tag)

    def _put_entry(self, node_hash: str, content: bytes) -> None:
        said = json.loads(content)
        package = Descriptor(
            media_type=_PACKAGE_TYPE,
            digest=Digest(said["sha256"]),
            size=int(said["record"]["size_bytes"]),
            annotations={"org.opencontainers.image.title": str(said["file"]).rpartition("/")[2]},
        )
        config = oci.put_bytes(self._repository, oci.EMPTY_CONTENT, oci.EMPTY)
        entry = oci.put_bytes(self._repository, content, _ENTRY_TYPE)
        document = {
            "schemaVersion": 2,
            "mediaType": oci.MANIFEST,
            "artifactType": ARTIFACT_TYPE,
            "config": config.document(),
            "layers": [entry.document(), package.document()],
            "annotations": {"org.opencontainers.image.title": f"{said['package']} {said['version']}"},
        }
        self._repository.put_manifest(oci.manifest(document), tag=node_hash)

    def _asked(self, once: Callable[[], T]) -> T:
        try:
            return once()
        except LodeError as error:
            raise Unreachable(f"the store {self._name} does not answer: {error.faults[0].message}") from error


def _tag(key: str) -> str | None:
    """Return the tag of an entry or index: the node's hash, or `index.<stack>.<release>.<sequence>`."""
    if node_hash := entry_node(key):
        return node_hash
    match = _INDEX.fullmatch(key)
    return f"index.{match[1]}.{match[2]}.{match[3]}" if match else None


def _package(key: str) -> Digest | None:
    match = _PACKAGE.fullmatch(key)
    return Digest(match[1]) if match else None


def _described(source: Path, media_type: str) -> Descriptor:
    with source.open("rb") as file:
        digest = Digest(hashlib.file_digest(file, "sha256").hexdigest())
    return Descriptor(media_type=media_type, digest=digest, size=source.stat().st_size)


def _pieces(source: Path, offset: int) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(offset)
        while piece := file.read(_PIECE):
            yield piece
