"""Stores of OCI content: what an image, its signatures and its attestations are asked of, wherever they lie.

A store holds blobs by digest, manifests by digest or tag, and knows which manifests refer to another one. The folder
of `layout` and the registry of `registry` are stores; whoever signs or copies needs nothing else. Forms are those of
the OCI image and distribution specifications, version 1.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lode import digest as digests
from lode.digest import Digest
from lode.errors import VerificationError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS = (MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX)
INDEXES = (INDEX, DOCKER_INDEX)

EMPTY_CONTENT = b"{}"
LARGEST_MANIFEST = 4 * 1024 * 1024  # bytes; what the distribution specification asks registries to take

BlobSource = Callable[[int], Iterator[bytes]]  # from an offset in bytes to all that follows

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """How one piece of content refers to another."""

    media_type: str
    digest: Digest
    size: int  # bytes
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, Any] = field(default_factory=dict)  # as it stands in the document; empty: none
    data: str | None = None  # the content itself in base64, where the writer put it there

    def document(self) -> dict[str, Any]:
        """Return the descriptor as it stands in manifests and indexes."""
        document: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": oci(self.digest),
            "size": self.size,
            "artifactType": self.artifact_type,
            "annotations": dict(self.annotations),
            "platform": dict(self.platform),
            "data": self.data,
        }
        return {key: value for key, value in document.items() if value not in (None, {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest or index with the very bytes that its digest is of."""

    media_type: str
    content: bytes
    digest: Digest

    @property
    def document(self) -> dict[str, Any]:
        """Return what the bytes say; VerificationError unless they are a JSON object."""
        return parse(self.content, f"the manifest {oci(self.digest)}")

    @property
    def descriptor(self) -> Descriptor:
        """Return how to refer to it."""
        return Descriptor(media_type=self.media_type, digest=self.digest, size=len(self.content))

    @property
    def is_index(self) -> bool:
        """Return whether it lists manifests, not layers."""
        return self.media_type in INDEXES

    @property
    def subject(self) -> Digest | None:
        """Return the digest of the manifest that this one refers to, such as the image that it signs."""
        subject = self.document.get("subject")
        return descriptor(subject, f"the manifest {oci(self.digest)}").digest if subject else None

    def blobs(self) -> tuple[Descriptor, ...]:
        """Return config and layers of an image or artifact, each once; nothing for an index."""
        if self.is_index:
            return ()
        where = f"the manifest {oci(self.digest)}"
        named = [self.document.get("config"), *_list(self.document, "layers", where)]
        found = [descriptor(one, where) for one in named if one is not None]
        return tuple({one.digest: one for one in found}.values())

    def manifests(self) -> tuple[Descriptor, ...]:
        """Return what an index lists; nothing for an image."""
        where = f"the index {oci(self.digest)}"
        return tuple(descriptor(one, where) for one in _list(self.document, "manifests", where) if self.is_index)


class OciStore(Protocol):
    """A place of one image's content: a repository of a registry, or a layout folder.

    Errors: VerificationError for content that is not what its digest says; PublicationError and HostError when the
    store cannot be read or written, what was there before is then still there.
    """

    def has_blob(self, digest: Digest) -> bool:
        """Return whether the blob is there."""
        ...

    def get_blob(self, digest: Digest, offset: int = 0) -> Iterator[bytes]:
        """Yield the blob from `offset` on; from the beginning, its digest is checked when the last piece was given.

        VerificationError when it is not there or not what its digest says.
        """
        ...

    def put_blob(self, blob: Descriptor, source: BlobSource) -> bool:
        """Put the blob there unless it is, and return whether it was new; what was begun before is gone on with.

        VerificationError when the source yields anything but what the descriptor says.
        """
        ...

    def get_manifest(self, reference: str) -> Manifest | None:
        """Return the manifest at a tag or at `sha256:<hex>`, None when there is none."""
        ...

    def put_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """Put the manifest there after all that it names, and let `tag` name it from now on.

        When the manifest has a subject, `referrers` of that subject tells it from then on.
        """
        ...

    def tags(self) -> tuple[str, ...]:
        """Return all tags, sorted; the fallback tags of referrers are among them."""
        ...

    def referrers(self, subject: Digest, artifact_type: str | None = None) -> tuple[Descriptor, ...]:
        """Return the manifests that refer to `subject`, sorted by digest, those of `artifact_type` if it is given."""
        ...


def manifest(document: Mapping[str, Any]) -> Manifest:
    """Return `document`, which names its media type, as a manifest in canonical JSON."""
    return of_bytes(digests.canonical(document), str(document["mediaType"]))


def of_bytes(content: bytes, media_type: str) -> Manifest:
    """Return the manifest of these very bytes."""
    return Manifest(media_type=media_type, content=content, digest=digests.of_bytes(content))


def put_bytes(store: OciStore, content: bytes, media_type: str) -> Descriptor:
    """Put a small blob into `store` and return how to refer to it."""
    blob = Descriptor(media_type=media_type, digest=digests.of_bytes(content), size=len(content))
    store.put_blob(blob, lambda offset: iter([content[offset:]]))
    return blob


def get_bytes(store: OciStore, blob: Descriptor) -> bytes:
    """Return a small blob, of the length that its descriptor says; VerificationError when it has another."""
    content = b"".join(store.get_blob(blob.digest))
    if len(content) != blob.size:
        raise VerificationError(f"{oci(blob.digest)} has {len(content)} bytes, its descriptor says {blob.size}")
    return content


def fallback_tag(subject: Digest) -> str:
    """Return the tag under which registries without the referrers API hold the index of a manifest's referrers."""
    return f"sha256-{subject}"


def oci(digest: Digest) -> str:
    """Return a digest as OCI writes it, `sha256:<hex>`."""
    return f"sha256:{digest}"


def parse_digest(text: str) -> Digest | None:
    """Return the digest that `sha256:<hex>` spells, None for anything else."""
    match = _DIGEST.fullmatch(text)
    return Digest(match[1]) if match else None


def is_tag(text: str) -> bool:
    """Return whether `text` may be a tag."""
    return _TAG.fullmatch(text) is not None


def parse(content: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object that `content` is; VerificationError, naming `what`, when it is none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"{what} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise VerificationError(f"{what} is not a JSON object")
    return document


def descriptor(document: Any, where: str) -> Descriptor:
    """Return the descriptor that `document` is; VerificationError, naming `where` it stands, when it is none."""
    if not isinstance(document, dict):
        raise VerificationError(f"{where} has a descriptor that is no JSON object")
    digest = parse_digest(str(document.get("digest")))
    size, media_type = document.get("size"), document.get("mediaType")
    if digest is None:
        raise VerificationError(f"{where} has a descriptor without a sha256 digest: {document.get('digest')!r}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not isinstance(media_type, str):
        raise VerificationError(f"{where} has a descriptor of {oci(digest)} without size and media type")
    artifact_type, data = document.get("artifactType"), document.get("data")
    annotations, platform = document.get("annotations") or {}, document.get("platform") or {}
    if not isinstance(annotations, dict) or not isinstance(platform, dict):
        raise VerificationError(f"{where} has a descriptor of {oci(digest)} with fields of a wrong type")
    return Descriptor(
        media_type=media_type,
        digest=digest,
        size=size,
        artifact_type=None if artifact_type is None else str(artifact_type),
        annotations={str(key): str(value) for key, value in annotations.items()},
        platform=platform,
        data=None if data is None else str(data),
    )


def referrer(manifest: Manifest) -> Descriptor:
    """Return how `manifest` is listed among the referrers of its subject (distribution specification 1.1)."""
    document = manifest.document
    config = document.get("config")
    fallback = config.get("mediaType") if isinstance(config, dict) else None
    annotations = document.get("annotations") or {}
    return Descriptor(
        media_type=manifest.media_type,
        digest=manifest.digest,
        size=len(manifest.content),
        artifact_type=document.get("artifactType") or fallback,
        annotations={str(key): str(value) for key, value in annotations.items()},
    )


def _list(document: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise VerificationError(f"{where} has {key} that are no list")
    return value
