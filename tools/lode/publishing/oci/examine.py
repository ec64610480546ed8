"""Verifying an image in a store: every byte of it and of what is attached is hashed, then the policy is asked."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lode import digest as digests
from lode.definitions.trust import TrustPolicy
from lode.digest import Digest
from lode.errors import HostError, VerificationError
from lode.progress import Progress
from lode.publishing.oci import attach
from lode.publishing.oci import store as stores
from lode.publishing.oci.layout import REF_NAME, Layout
from lode.publishing.oci.store import Descriptor, Manifest, OciStore, oci
from lode.signing import cosign
from lode.signing.claim import Claim, Kind
from lode.verifying.image import AcceptedImage, verify_image
from lode.verifying.verify import Sought

_TOP = frozenset({"schemaVersion", "mediaType", "manifests", "annotations"})
_ENTRY = frozenset({"mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An image, or the index of several, that was read whole and accepted."""

    name: str
    manifest: Manifest
    image: AcceptedImage
    blobs: int
    size: int  # bytes that were hashed


def examine(
    store: OciStore,
    reference: str,
    policy: TrustPolicy,
    *,
    name: str,
    today: datetime.date,
    jobs: int,
    progress: Progress,
    stack: str | None = None,
    release: str | None = None,
) -> tuple[Examined, ...]:
    """Return the image at `reference` and, for an index, each image that it lists, all read and accepted.

    VerificationError for a byte that is not as it was signed, TrustError when the policy does not accept the signers.
    """
    found: list[Examined] = []
    for made in attach.manifests(store, reference):
        place = name if not found else f"{name}, {oci(made.digest)}"
        if digests.of_bytes(made.content) != made.digest:
            raise VerificationError(f"the manifest of {place} is not what its digest says")
        blobs = made.blobs()
        if not made.is_index and not blobs:
            raise VerificationError(f"{place} is no image")
        attached = attach.find(store, made.digest)
        accepted = verify_image(
            made.digest,
            attached.signatures,
            attached.envelopes,
            policy,
            sought=Sought(kind=Kind.IMAGE, name=place, digests={"sha256": made.digest}, stack=stack, release=release),
            labels=labels(made),
            today=today,
        )
        _hash(store, blobs, jobs, progress)
        found.append(
            Examined(
                name=place,
                manifest=made,
                image=accepted,
                blobs=len(blobs),
                size=sum(blob.size for blob in blobs) + len(made.content),
            )
        )
    return tuple(found)


def labels(made: Manifest) -> Claim:
    """Return what a manifest's annotations say of the image: its stack, release, target, group and lock."""
    annotations = made.document.get("annotations")
    noted = annotations if isinstance(annotations, dict) else {}

    def text(key: str) -> str:
        return str(noted.get(key, ""))

    return Claim(
        kind=Kind.IMAGE,
        stack=text("lode.stack"),
        release=text("lode.release"),
        target=text("lode.target"),
        group=text("lode.group"),
        lock=text("lode.lock").removeprefix("sha256:"),
    )


def images(layout: Layout) -> tuple[str, ...]:
    """Return the references of all images in a layout folder, `sha256:<hex>`, those that an index lists left out.

    VerificationError when `index.json` lists something that is no image and belongs to none, is not there, or is
    listed as something else than it is: so no byte of that file can change and leave a whole layout.
    """
    entries = list(_entries(layout))
    held = {one.digest: _manifest(layout, one) for one in entries}
    artifacts = {one.digest for one in entries if _is_artifact(held[one.digest])}
    subjects = {made.digest for made in held.values() if made.digest not in artifacts}
    listed: set[Digest] = set()
    for made in held.values():
        if made.digest not in artifacts:
            below = {one.digest for one in made.manifests()}
            subjects |= below
            listed |= below
    for one in entries:
        _explain(layout, one, held[one.digest], one.digest in artifacts, subjects)
    for made in held.values():
        if made.digest not in artifacts:
            _compare_names(layout, made, entries)
    found = [one for one in held if one not in artifacts and one not in listed]
    if not found:
        raise VerificationError(f"{layout.root} holds no image")
    return tuple(oci(one) for one in found)


def _entries(layout: Layout) -> Iterator[Descriptor]:
    """Yield what `index.json` lists, read strictly."""
    file = layout.root / "index.json"
    document = stores.parse(_read(file), str(file))
    marker = stores.parse(_read(layout.root / "oci-layout"), str(layout.root / "oci-layout"))
    if marker != {"imageLayoutVersion": "1.0.0"}:
        raise VerificationError(f"{layout.root}/oci-layout is not that of a layout of version 1.0.0")
    listed: Any = document.get("manifests")
    if document.get("schemaVersion") != 2 or not isinstance(listed, list) or not set(document) <= _TOP:
        raise VerificationError(f"{file} is not the index of a layout")
    if document.get("mediaType", stores.INDEX) != stores.INDEX:
        raise VerificationError(f"{file} has the media type {document['mediaType']!r}")
    for one in listed:
        found = stores.descriptor(one, str(file))
        unknown = sorted(set(one) - _ENTRY)
        if unknown:
            raise VerificationError(f"{file} has a descriptor with an unknown key {unknown[0]!r}")
        yield found


def _manifest(layout: Layout, one: Descriptor) -> Manifest:
    made = layout.get_manifest(oci(one.digest))
    file = layout.root / "index.json"
    if made is None:
        raise VerificationError(f"{file} lists {oci(one.digest)}, which is not there")
    document = made.document
    if len(made.content) != one.size:
        raise VerificationError(f"{file} lists {oci(one.digest)} with {one.size} bytes; it has {len(made.content)}")
    if document.get("mediaType", one.media_type) != one.media_type or one.media_type not in stores.MANIFESTS:
        raise VerificationError(f"{file} lists {oci(one.digest)} as {one.media_type!r}, which it is not")
    if one.artifact_type is not None and one.artifact_type != stores.referrer(made).artifact_type:
        raise VerificationError(
            f"{file} lists {oci(one.digest)} as the artifact {one.artifact_type!r}, which it is not"
        )
    own = json.loads(made.content).get("platform")
    if one.platform and own is not None and own != one.platform:
        raise VerificationError(f"{file} lists {oci(one.digest)} for another platform")
    return made


def _is_artifact(made: Manifest) -> bool:
    """Return whether a manifest is something beside an image: a signature, an attestation, a list of referrers."""
    if made.is_index:
        return any(one.artifact_type for one in made.manifests())
    kinds = {one.media_type for one in made.blobs()}
    return bool(made.subject) or bool(kinds & {cosign.SIMPLE_SIGNING, cosign.DSSE, cosign.BUNDLE})


def _explain(layout: Layout, one: Descriptor, made: Manifest, artifact: bool, subjects: set[Digest]) -> None:
    """Raise VerificationError unless a listed manifest is an image, or belongs to one that is there."""
    tag = one.annotations.get(REF_NAME)
    what = f"{layout.root}/index.json lists {oci(one.digest)}"
    if (tag is None and one.annotations) or (tag is not None and not stores.is_tag(tag)):
        raise VerificationError(f"{what} without a name that is one")
    if not artifact:
        return
    fitting = {
        name: subject
        for subject in subjects
        for name in (stores.fallback_tag(subject), cosign.tag(subject, cosign.SIG), cosign.tag(subject, cosign.ATT))
    }
    if tag is not None and tag not in fitting:
        raise VerificationError(f"{what} as {tag!r}, which belongs to no image here")
    if tag is None and made.subject not in subjects:
        raise VerificationError(f"{what}, which belongs to no image here")
    kinds = {each.media_type for each in made.blobs()}
    suffix = cosign.SIG if cosign.SIMPLE_SIGNING in kinds else cosign.ATT if cosign.DSSE in kinds else ""
    if tag is not None and not tag.endswith(suffix):
        raise VerificationError(f"{what} as {tag!r}, which it is not")


def _compare_names(layout: Layout, made: Manifest, entries: Sequence[Descriptor]) -> None:
    """Raise VerificationError when an image has a name here that it was not signed as.

    Signatures without a tag in their reference, such as cosign's own, leave the name open.
    """
    names = {one.annotations[REF_NAME] for one in entries if one.digest == made.digest and REF_NAME in one.annotations}
    signed = {each.reference for _, each in attach.find(layout, made.digest).signatures}
    tags = {reference.rpartition("/")[2].partition("@")[0].partition(":")[2] for reference in signed}
    if tags and "" not in tags and not names <= tags:
        called, was = ", ".join(sorted(names - tags)), ", ".join(sorted(tags))
        raise VerificationError(f"{layout.root} calls {oci(made.digest)} {called}; it was signed as {was}")


def _hash(store: OciStore, blobs: Sequence[Descriptor], jobs: int, progress: Progress) -> None:
    """Read every blob; VerificationError for one that is not what its descriptor says."""

    def one(blob: Descriptor) -> None:
        size = 0
        for piece in store.get_blob(blob.digest):  # which a store checks, whole
            size += len(piece)
            progress.advance(task, len(piece))
        if size != blob.size:
            raise VerificationError(f"the blob {oci(blob.digest)} is not what its descriptor says")

    task = "image"
    progress.start(task, total=sum(blob.size for blob in blobs), unit="B")
    try:
        with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="verify") as pool:
            for _ in pool.map(one, sorted(blobs, key=lambda blob: -blob.size)):
                pass
    except BaseException:
        progress.finish(task, "refused")
        raise
    progress.finish(task)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise VerificationError(f"{file} is not there: this is no image layout") from error
    except OSError as error:
        raise HostError(f"{file} cannot be read: {error.strerror}") from error
