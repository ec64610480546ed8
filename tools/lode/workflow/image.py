"""Images: from the prefixes of a release to a layout with an image of each, and indexes over their targets."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lode.building import roots
from lode.config import Places
from lode.digest import Digest
from lode.errors import PublicationError, UsageError
from lode.installing.prefix import Prefix
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.publishing.oci import compression, image
from lode.publishing.oci import reference as references
from lode.publishing.oci.assemble import assemble, stack_labels
from lode.publishing.oci.bases import SCRATCH, of_image, open_base
from lode.publishing.oci.image import Base
from lode.publishing.oci.layout import Layout, listing
from lode.publishing.oci.store import Manifest, is_tag, put_bytes
from lode.workflow.registry import Reach, registry

FOLDER = "images"  # of a release folder: the layout
REGISTRY = "docker://"  # begins a base that lies in a registry


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeImage:
    """An image of one prefix, as it lies in the layout."""

    target: str
    group: str | None
    tag: str
    manifest: Manifest
    layers: int
    size: int  # bytes of all its layers, the base's too
    written: int  # bytes of layers that were not there before
    inventory: Digest
    prefix: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeIndex:
    """The index of the targets of a stack, or of a group of it."""

    group: str | None
    tag: str
    manifest: Manifest
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What a layout holds of a release."""

    layout: Path
    registry: str | None  # that the stack's file names
    images: tuple[MadeImage, ...]
    indexes: tuple[MadeIndex, ...]

    def document(self) -> dict[str, Any]:
        """Return them as --json prints them."""
        return {
            "layout": str(self.layout),
            "images": [
                {
                    "target": one.target,
                    "group": one.group,
                    "tag": one.tag,
                    "digest": f"sha256:{one.manifest.digest}",
                    "layers": one.layers,
                    "size": one.size,
                    "written": one.written,
                    "inventory": one.inventory,
                }
                for one in self.images
            ],
            "indexes": [
                {
                    "group": one.group,
                    "tag": one.tag,
                    "digest": f"sha256:{one.manifest.digest}",
                    "targets": list(one.targets),
                }
                for one in self.indexes
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How images are made."""

    bases: Mapping[str, str] = field(default_factory=dict)  # target to base, as `open_base` has it, or docker://IMAGE
    base: str = SCRATCH  # of the targets that `bases` does not name
    compression: str = "gzip"
    jobs: int = 2
    reach: Reach | None = None  # for bases in registries


USUAL = Making()


def make_images(
    lock: Lock, prefixes: Sequence[Prefix], layout: Path, *, making: Making = USUAL, progress: Progress
) -> Images:
    """Return the images of `prefixes`, each of this lock, and their indexes, put into the layout folder at once.

    Each image has the tag `<release>[-<group>]-<target>`, each index `<release>[-<group>]`. What is in the layout is
    not written again; images of other targets of the same release stay in the index. VerificationError when a prefix is
    not what its inventory says; HostError when the layout cannot be written.
    """
    there = Layout(layout)
    method = compression.method(making.compression)
    made: list[MadeImage] = []
    platforms: dict[Digest, Mapping[str, Any]] = {}
    for prefix in prefixes:
        if prefix.lock_digest != lock.digest:
            raise PublicationError(
                f"the prefix at {prefix.root} is of the lock {prefix.lock_digest}, not of {lock.digest}",
                hint="release the stack again",
            )
        base = _base(there, making, lock, prefix.target)
        one = assemble(
            there, prefix, lock, base=base, epoch_s=epoch(lock), method=method, jobs=making.jobs, progress=progress
        )
        platforms[one.manifest.digest] = one.platform
        made.append(
            MadeImage(
                target=prefix.target,
                group=prefix.group,
                tag=_tag(lock.release, prefix.group, prefix.target),
                manifest=one.manifest,
                layers=len(base.layers) + len(one.layers),
                size=sum(layer.size for layer in (*base.layers, *one.layers)),
                written=one.written,
                inventory=prefix.inventory,
                prefix=prefix.root,
            )
        )
    indexes = [_index(there, lock, group, made, platforms) for group in dict.fromkeys(one.group for one in made)]
    for index in indexes:
        put_bytes(there, index.manifest.content, index.manifest.media_type)
    there.list_manifests(
        [*(listing(one.manifest, one.tag) for one in made), *(listing(one.manifest, one.tag) for one in indexes)]
    )
    return Images(layout=layout, registry=lock.publish.registry, images=tuple(made), indexes=tuple(indexes))


def runtimes(places: Places, targets: Iterable[str]) -> dict[str, str]:
    """Return the runtime system of each of `targets` that this machine has one of: the usual base of its images."""
    found = {target: roots.find(places.cache, target, "runtime") for target in targets}
    return {target: str(root.folder) for target, root in found.items() if root is not None}


def epoch(lock: Lock) -> int:
    """Return the time that everything in the lock's images has: midnight, UTC, of the release's date."""
    return calendar.timegm(time.strptime(lock.date, "%Y-%m-%d"))


def _index(
    there: Layout,
    lock: Lock,
    group: str | None,
    made: Sequence[MadeImage],
    platforms: Mapping[Digest, Mapping[str, Any]],
) -> MadeIndex:
    """Return the index of the images made now and of those that the index in the layout has for other targets."""
    tag = _tag(lock.release, group)
    labels = stack_labels(lock, group, f"{lock.date}T00:00:00Z")
    now = {one.target: (one.manifest, platforms[one.manifest.digest], one.target) for one in made if one.group == group}
    known = {**_listed(there, tag, labels), **now}
    order = [target.definition.name for target in lock.targets if target.definition.name in known]
    return MadeIndex(
        group=group,
        tag=tag,
        manifest=image.index([known[target] for target in order], labels),
        targets=tuple(order),
    )


def _listed(there: Layout, tag: str, labels: Mapping[str, str]) -> dict[str, tuple[Manifest, Mapping[str, Any], str]]:
    """Return by target what the layout's index of this very lock lists."""
    before = there.get_manifest(tag)
    if before is None or before.document.get("annotations") != dict(labels):
        return {}
    found: dict[str, tuple[Manifest, Mapping[str, Any], str]] = {}
    for one in before.manifests():
        held = there.get_manifest(f"sha256:{one.digest}")
        target = one.annotations.get("lode.target")
        if held is not None and target is not None:
            found[target] = (held, one.platform, target)
    return found


def _base(there: Layout, making: Making, lock: Lock, target: str) -> Base:
    reference = making.bases.get(target, making.base)
    arch = lock.target(target).definition.arch
    architecture = image.ARCHITECTURES.get(arch, arch)
    if reference.startswith(REGISTRY):
        if making.reach is None:
            raise UsageError(f"{reference} lies in a registry, which is not asked here")
        named = references.parse(reference)
        with registry(named, making.reach) as store:
            return of_image(there, store, named.digest or named.tag or "latest", reference, architecture)
    return open_base(there, reference, method=compression.method(making.compression), architecture=architecture)


def _tag(*parts: str | None) -> str:
    tag = "-".join(part for part in parts if part)
    if not is_tag(tag):
        raise PublicationError(
            f"{tag!r} cannot be the tag of an image", hint="tags are of letters, digits, `.`, `_`, `-`"
        )
    return tag
