"""The documents of an image: its configuration, its manifest, and the index of a stack's targets.

They follow from a lock and the layers alone. Forms are those of the OCI image specification 1.1: config.md,
manifest.md, image-index.md, annotations.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lode import digest as digests
from lode.digest import Digest
from lode.errors import VerificationError
from lode.publishing.oci import store
from lode.publishing.oci.store import Descriptor, Manifest, oci

USER = "1000:1000"  # nobody is root by default; any other user works too
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le"}  # of `uname -m` to Go's names

_INHERITED = ("Env", "Labels", "StopSignal", "Volumes", "ExposedPorts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The image that a stack's layers are put on: a target's runtime, or nothing (`scratch`)."""

    layers: tuple[Descriptor, ...] = ()
    diff_ids: tuple[Digest, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)  # as in its configuration: Env, Labels, …
    platform: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None  # as it was asked for
    digest: Digest | None = None  # of its manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an image holds and how it starts."""

    created: str  # RFC 3339; the date of the release
    architecture: str  # Go's name
    os_version: str | None  # of the target's system
    environment: Mapping[str, str]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    labels: Mapping[str, str]  # and annotations of the manifest
    layers: tuple[Descriptor, ...]  # with annotations
    diff_ids: tuple[Digest, ...]
    history: tuple[str, ...]  # what made each layer


def configuration(content: Content, base: Base) -> bytes:
    """Return the configuration of the image in canonical JSON."""
    inherited = {key: base.config[key] for key in _INHERITED if base.config.get(key)}
    document: dict[str, Any] = {
        "created": content.created,
        "architecture": content.architecture,
        "os": "linux",
        "config": {
            **inherited,
            "User": USER,
            "Env": [f"{name}={value}" for name, value in sorted(content.environment.items())],
            "Entrypoint": list(content.entrypoint),
            "Cmd": list(content.command),
            "WorkingDir": "/",
            "Labels": {**inherited.get("Labels", {}), **content.labels},
        },
        "rootfs": {"type": "layers", "diff_ids": [oci(one) for one in (*base.diff_ids, *content.diff_ids)]},
        "history": [
            *base.history,
            *({"created": content.created, "created_by": text} for text in content.history),
        ],
    }
    if content.os_version:
        document["os.version"] = content.os_version
    return digests.canonical(document)


def manifest(content: Content, base: Base, config: Descriptor) -> Manifest:
    """Return the manifest of the image."""
    annotations = dict(content.labels)
    if base.digest is not None:
        annotations["org.opencontainers.image.base.digest"] = oci(base.digest)
    if base.name is not None:
        annotations["org.opencontainers.image.base.name"] = base.name
    return store.manifest(
        {
            "schemaVersion": 2,
            "mediaType": store.MANIFEST,
            "config": config.document(),
            "layers": [one.document() for one in (*base.layers, *content.layers)],
            "annotations": annotations,
        }
    )


def index(images: Sequence[tuple[Manifest, Mapping[str, Any], str]], labels: Mapping[str, str]) -> Manifest:
    """Return the index of images, each with its platform and target; engines take the first that fits them."""
    return store.manifest(
        {
            "schemaVersion": 2,
            "mediaType": store.INDEX,
            "manifests": [
                Descriptor(
                    media_type=one.media_type,
                    digest=one.digest,
                    size=len(one.content),
                    platform=platform,
                    annotations={"lode.target": target},
                ).document()
                for one, platform, target in images
            ],
            "annotations": dict(labels),
        }
    )


def read_base(made: Manifest, config: bytes, name: str | None) -> Base:
    """Return an image as a base; VerificationError when its manifest and configuration do not belong together."""
    document = store.parse(config, f"the configuration of {oci(made.digest)}")
    where = f"the manifest {oci(made.digest)}"
    layers = tuple(store.descriptor(one, where) for one in made.document.get("layers", ()))
    listed = document.get("rootfs", {}).get("diff_ids", [])
    diff_ids = tuple(found for text in listed if (found := store.parse_digest(str(text))) is not None)
    if len(diff_ids) != len(layers) or len(listed) != len(layers):
        raise VerificationError(f"{where} has {len(layers)} layers, its configuration {len(listed)}")
    platform = {key: document[key] for key in ("architecture", "os", "os.version", "variant") if document.get(key)}
    return Base(
        layers=layers,
        diff_ids=diff_ids,
        history=tuple(document.get("history") or ()),
        config=document.get("config") or {},
        platform=platform,
        name=name,
        digest=made.digest,
    )


def environment(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that a configuration sets."""
    pairs: Iterable[str] = config.get("Env") or ()
    return dict(pair.partition("=")[::2] for pair in pairs)
