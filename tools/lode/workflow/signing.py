"""Signing whole releases and their images, and verifying images where they lie."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lode import scratch
from lode.digest import Digest
from lode.errors import UsageError, VerificationError
from lode.installing import prefix as prefixes
from lode.locking.graph import Lock
from lode.publishing.oci import attach, compare, examine
from lode.publishing.oci.attach import ImageSigner
from lode.publishing.oci.examine import Examined
from lode.publishing.oci.layout import REF_NAME, Layout
from lode.publishing.oci.reference import parse
from lode.publishing.oci.store import Manifest, OciStore, oci
from lode.signing import claim as claims
from lode.signing.claim import Kind
from lode.signing.envelope import SUFFIX
from lode.signing.statement import Statement, Subject
from lode.workflow import report as releases
from lode.workflow import signatures, subjects
from lode.workflow.attestations import Predicate, predicates
from lode.workflow.registry import Reach, registry
from lode.workflow.signatures import Signed
from lode.workflow.trust import OpenStore, Request, Verified


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedImage:
    """An image, or an index of several, with what is attached to it now."""

    reference: str
    digest: Digest
    attached: tuple[str, ...]  # predicate types that the signers attest of it
    written: int  # manifests that this call put beside it; 0: all was there


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRelease:
    """All that was signed of a release."""

    folder: Path | None  # None: an image in a registry
    signatures: tuple[Signed, ...]  # lock, prefixes, index
    images: tuple[SignedImage, ...]

    def document(self) -> dict[str, Any]:
        """Return it as --json prints it."""
        return {
            "signatures": [
                {
                    "kind": each.claim.kind.value,
                    "target": each.claim.target,
                    "sequence": each.claim.sequence,
                    "file": str(each.file),
                    "keys": list(each.keys),
                }
                for each in self.signatures
            ],
            "images": [
                {
                    "reference": each.reference,
                    "digest": oci(each.digest),
                    "attached": list(each.attached),
                    "written": each.written,
                }
                for each in self.images
            ],
        }


def sign_release(
    folder: Path, signers: Sequence[ImageSigner], *, now: datetime.datetime, sequence: int | None = None
) -> SignedRelease:
    """Sign the release that lies in `folder`, all of it, with each of `signers`, and return what was signed.

    Lock and prefixes first, then what is said of each prefix (SBOM, provenance, tests) and the images in the layout
    `images`, the index of the folder last: whoever finds that signed finds the rest. What is signed already by the same
    keys is left. HostError when there is no release, or a signer does not sign.
    """
    if not signers:
        raise ValueError("a release is signed by somebody")
    lock = releases.read_lock(folder)
    signed = [_sign(folder / releases.LOCK, Kind.LOCK, signers, now, sequence)]
    said = predicates(folder, lock)
    for target, root in _prefixes(folder, lock):
        signed.append(_sign(root, Kind.PREFIX, signers, now, sequence))
        _keep(folder / target, prefixes.read(root).inventory, said.get(target, ()), signers)
    layout = Layout(folder / releases.IMAGES)
    images: list[SignedImage] = []
    if layout.listed():
        name = lock.publish.registry or lock.stack
        for reference, tag in _tagged(layout):
            images += sign_image(
                layout,
                reference,
                name=f"{name}:{tag}",
                signers=signers,
                lock=lock,
                said=said,
                now=now,
                sequence=sequence,
            )
    signed.append(_sign(folder, Kind.RELEASE, signers, now, sequence))
    return SignedRelease(folder=folder, signatures=tuple(signed), images=tuple(images))


def sign_images(
    subject: str,
    signers: Sequence[ImageSigner],
    *,
    now: datetime.datetime,
    sequence: int | None = None,
    reference: str | None = None,
    open_store: OpenStore | None = None,
) -> SignedRelease:
    """Sign all images in a layout folder, `DIR:TAG` alone, or what a reference names in a registry.

    `reference` is the repository that images of a layout are signed as. UsageError when there is no such subject.
    """
    folder, _, tag = subject.rpartition(":")
    only = None if (Path(subject) / "oci-layout").is_file() else tag
    root = Path(subject if only is None else folder)
    if not (root / "oci-layout").is_file() and open_store is not None:
        with open_store(subject) as (store, where):
            found = sign_image(store, where, name=subject, signers=signers, now=now, sequence=sequence)
        return SignedRelease(folder=None, signatures=(), images=found)
    if not (root / "oci-layout").is_file():
        raise UsageError(f"{subject} is no image layout", hint="name a folder with an oci-layout file in it")
    layout = Layout(root)
    images: list[SignedImage] = []
    for digest, name in _tagged(layout):
        if only in (None, name):
            called = f"{reference or examine.labels(attach.manifests(layout, digest)[0]).stack}:{name}"
            images += sign_image(layout, digest, name=called, signers=signers, now=now, sequence=sequence)
    if not images:
        raise UsageError(f"{root} holds no image{f' called {only}' if only else ' with a name'}")
    return SignedRelease(folder=root, signatures=(), images=tuple(images))


def sign_image(
    store: OciStore,
    reference: str,
    *,
    name: str,
    signers: Sequence[ImageSigner],
    now: datetime.datetime,
    lock: Lock | None = None,
    said: dict[str, tuple[Predicate, ...]] | None = None,
    sequence: int | None = None,
) -> tuple[SignedImage, ...]:
    """Sign the image at `reference` of `store` and, of an index, each image it lists; attach what is said of each.

    `name` (`registry/repository:tag`) is what the image is to be called. `said` holds for each target what is known of
    its tree. UsageError when the image does not say of which stack and release it is.
    """
    found: list[SignedImage] = []
    for image in attach.manifests(store, reference):
        claim = examine.labels(image)
        if not claim.stack or not claim.release:
            raise UsageError(
                f"the image {name} does not say which stack and release it is",
                hint="its annotations lode.stack and lode.release do; `lode image` writes them",
            )
        created = f"{lock.date}T00:00:00Z" if lock else now.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        claim = _claimed(store, image, replace(claim, sequence=sequence or 1), now, sequence)
        digests = {"sha256": image.digest}
        statements = [claims.statement(claim, "", digests)]
        statements += [
            Statement(subjects=(Subject(name="", digest=digests),), predicate_type=each.type, predicate=each.document)
            for each in (said or {}).get(claim.target, ())
        ]
        written = 0
        for signer in signers:
            written += attach.sign(store, image, reference=name, signer=signer, created=created)
            for statement in statements:
                written += attach.attest(store, image, statement, signer=signer, created=created)
        found.append(
            SignedImage(
                reference=name if not found else f"{name.rpartition(':')[0]}@{oci(image.digest)}",
                digest=image.digest,
                attached=tuple(statement.predicate_type for statement in statements),
                written=written,
            )
        )
    return tuple(found)


def opener(by: Reach) -> OpenStore:
    """Return what opens the repository of an image's reference, as `by` says registries are reached."""

    @contextlib.contextmanager
    def opened(text: str) -> Iterator[tuple[OciStore, str]]:
        named = parse(text)
        with registry(named, by) as store:
            yield store, named.digest or named.tag or "latest"

    return opened


def verify_images(request: Request) -> Verified:
    """Return the acceptance of what `request` names: a layout folder, `DIR:TAG`, or a reference of a registry."""
    folder, _, tag = request.subject.rpartition(":")
    if (Path(request.subject) / "oci-layout").is_file():
        layout = Layout(Path(request.subject))
        examined = [each for one in examine.images(layout) for each in _examined(layout, one, request)]
    elif (Path(folder or "/none") / "oci-layout").is_file():
        examine.images(Layout(Path(folder)))
        examined = list(_examined(Layout(Path(folder)), tag, request))
    elif request.open_store is None:
        raise UsageError(f"{request.subject} is no image layout", hint="name a folder with an oci-layout file in it")
    else:
        with request.open_store(request.subject) as (store, reference):
            examined = list(_examined(store, reference, request))
    first = examined[0]
    tree = ", its tree as its inventory lists it" if request.tree else ""
    checked = [
        f"{oci(each.manifest.digest)}: {each.blobs} blobs, {each.size:,} bytes, {_attested(each)}"
        f"{'' if each.manifest.is_index else tree}"
        for each in examined
    ]
    return Verified(
        kind=Kind.IMAGE,
        name=request.subject,
        digests={"sha256": first.manifest.digest},
        accepted=first.image.accepted,
        checked=tuple(checked),
    )


def _examined(store: OciStore, reference: str, request: Request) -> tuple[Examined, ...]:
    found = examine.examine(
        store,
        reference,
        request.policy,
        name=request.subject,
        today=request.today,
        jobs=request.jobs,
        progress=request.progress,
        stack=request.stack,
        release=request.release,
    )
    for each in found if request.tree else ():
        if not each.manifest.is_index:
            with scratch.folder("compare") as folder:
                compare.agree(store, each.manifest, scratch=folder, jobs=request.jobs, progress=request.progress)
    return found


def _attested(each: Examined) -> str:
    kinds = sorted({one.predicate_type for one in each.image.attested})
    return f"attested: {', '.join(kinds)}" if kinds else "nothing attested beside it"


def _claimed(
    store: OciStore, image: Manifest, claim: claims.Claim, now: datetime.datetime, sequence: int | None
) -> claims.Claim:
    """Return the claim as it was made of the image before, so that a second key signs the same one; else a new one."""
    for place, envelope in attach.find(store, image.digest).envelopes:
        try:
            statement = envelope.statement(place)
            before = claims.read(statement, place)
        except VerificationError:
            continue
        wanted = replace(claim, signed=before.signed, sequence=sequence or before.sequence)
        if statement == claims.statement(wanted, "", {"sha256": image.digest}):
            return before
    return replace(claim, signed=now.astimezone(datetime.UTC).isoformat(timespec="seconds"))


def _sign(
    path: Path, kind: Kind, signers: Sequence[ImageSigner], now: datetime.datetime, sequence: int | None
) -> Signed:
    subject = subjects.subject_of(kind, str(path), path.parent)
    claim = signatures.read_claim(subject, stack=None, now=now)
    signed = [signatures.sign(subject, claim, signer, sequence=sequence) for signer in signers]
    return signed[-1]


def _keep(folder: Path, inventory: Digest, said: Sequence[Predicate], signers: Sequence[ImageSigner]) -> None:
    """Write what is said of a tree as sealed statements beside it: `<name>.dsse`."""
    for each in said:
        statement = Statement(
            subjects=(Subject(name=releases.PREFIX, digest={"sha256": inventory}),),
            predicate_type=each.type,
            predicate=each.document,
        )
        signatures.write_statement(folder / f"{each.name}{SUFFIX}", statement, signers)


def _prefixes(folder: Path, lock: Lock) -> list[tuple[str, Path]]:
    roots = [(each.definition.name, folder / each.definition.name / releases.PREFIX) for each in lock.targets]
    return [(target, root) for target, root in roots if prefixes.is_prefix(root)]


def _tagged(layout: Layout) -> list[tuple[str, str]]:
    """Return digest and tag of each image in the layout that has a name, indexes last."""
    wanted = set(examine.images(layout)) | {
        oci(one.digest) for one in layout.listed() if one.annotations.get(REF_NAME) and one.artifact_type is None
    }
    named = [
        (oci(one.digest), one.annotations[REF_NAME])
        for one in layout.listed()
        if REF_NAME in one.annotations and oci(one.digest) in wanted and not _beside(one.annotations[REF_NAME])
    ]
    return sorted(named, key=lambda each: (len(each[1]), each[1]), reverse=True)


def _beside(tag: str) -> bool:
    return tag.startswith("sha256-")
