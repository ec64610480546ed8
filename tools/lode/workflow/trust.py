"""Verifying subjects by a trust policy: who has to have signed each kind, and all that is looked at beyond that."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lode.definitions import read_trust
from lode.definitions.trust import TrustPolicy, sole
from lode.digest import Digest
from lode.errors import LodeError, Place, TrustError, VerificationError
from lode.installing import prefix as prefixes
from lode.locking import lockfile
from lode.progress import Progress
from lode.publishing.oci.store import OciStore
from lode.signing.claim import Kind
from lode.signing.envelope import SUFFIX
from lode.signing.keys import PublicKey
from lode.verifying.verify import Accepted, Sought, signers, verify
from lode.workflow import report as releases
from lode.workflow import subjects
from lode.workflow.subjects import Subject, read_envelope
from lode.workflow.test import verify_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A subject that was accepted, and what was looked at for it, in words."""

    kind: Kind
    name: str
    digests: Mapping[str, str]
    accepted: Accepted
    checked: tuple[str, ...]


OpenStore = Callable[[str], AbstractContextManager[tuple[OciStore, str]]]  # a reference to its repository and tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be verified, by whose policy, on which day."""

    kind: Kind
    subject: str  # as the user names it
    policy: TrustPolicy
    today: datetime.date
    progress: Progress
    releases: Path  # where releases are looked for by name
    jobs: int = 2
    open_store: OpenStore | None = None  # how an image in a registry is reached; None: not at all
    signature: Path | None = None  # None: beside the subject
    stack: str | None = None  # what it must be signed as; None: as anything
    release: str | None = None
    share: float = 1.0  # of the files of a published tree that are read
    tree: bool = False  # of an image: its layers are unpacked, and the tree in them is compared with its inventory
    cvmfs_key: Path | None = None  # public key of a repository; None: where `keys` and clients keep it
    keys: Path | None = None  # the user's folder for keys

    def accept(self, subject: Subject) -> Accepted:
        """Return what the policy accepts `subject` as; VerificationError when it does not."""
        sought = Sought(
            kind=subject.kind, name=subject.name, digests=subject.digests, stack=self.stack, release=self.release
        )
        file = self.signature or subject.signature
        found = [(str(file), envelope)] if (envelope := read_envelope(file)) is not None else []
        return verify(found, self.policy, sought=sought, today=self.today)


Verifier = Callable[[Request], Verified]


def verify_file(request: Request) -> Verified:
    """Return the acceptance of a lock, bundle or trust policy; VerificationError, TrustError with the reason."""
    subject = subjects.subject_of(request.kind, request.subject, request.releases)
    accepted = request.accept(subject)
    checked = [f"every byte of {subject.name}"]
    if subject.kind is Kind.LOCK:
        lock = lockfile.load(subjects.read(subject.path), str(subject.path))
        if lock.digest != accepted.claim.lock:
            raise VerificationError(f"{subject.name} has the digest {lock.digest[:16]}…, not the one that was signed")
        checked.append(f"{len(lock.nodes)} nodes, whose hashes follow from their fields")
    return _verified(subject, accepted, *checked)


def verify_prefix(request: Request) -> Verified:
    """Return the acceptance of a prefix, its whole tree read and compared with the signed inventory."""
    subject = subjects.subject_of(request.kind, request.subject, request.releases)
    accepted = request.accept(subject)
    prefix = prefixes.read(subject.path)
    verify_tree(prefix, request.progress)
    claim = accepted.claim
    for what, signed, found in (
        ("stack", claim.stack, prefix.stack),
        ("release", claim.release, prefix.release),
        ("target", claim.target, prefix.target),
        ("group", claim.group, prefix.group or ""),
    ):
        if signed != found:
            raise VerificationError(f"{subject.name} was signed as {what} {signed!r}; its record says {found!r}")
    return _verified(subject, accepted, "every file of the tree")


def verify_release(request: Request) -> Verified:
    """Return the acceptance of a release folder: its index, every file listed there, trees and images that are here."""
    subject = subjects.subject_of(request.kind, request.subject, request.releases)
    accepted = request.accept(subject)
    folder = subject.path.parent
    index = _index(subjects.read(subject.path), str(subject.path))
    checked = [f"{_compare_files(folder, index['files'])} files"]
    lock = releases.read_lock(folder)
    if not lock.digest == index["lock"] == accepted.claim.lock:
        raise VerificationError(f"{folder / releases.LOCK} is not the lock of the signed release")
    for target, entry in sorted(index["targets"].items()):
        root = folder / target / releases.PREFIX
        if not prefixes.is_prefix(root):
            checked.append(f"the tree of {target} is not here")
            continue
        prefix = prefixes.read(root)
        if prefix.inventory != entry["inventory"]:
            raise VerificationError(f"{root} is not the tree of the signed release: its inventory differs")
        verify_tree(prefix, request.progress)
        checked.append(f"every file of the tree of {target}")
        checked += _said(folder / target, prefix.inventory, request)
    if (folder / releases.IMAGES / "oci-layout").is_file():
        images = verify_image(replace(request, kind=Kind.IMAGE, subject=str(folder / releases.IMAGES)))
        checked += [f"image {each}" for each in images.checked]
    return _verified(subject, accepted, *checked)


def _said(folder: Path, inventory: Digest, request: Request) -> list[str]:
    """Return what is attested of a tree beside it; VerificationError for what is not by the policy's keys, or of it."""
    checked = []
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        envelope = read_envelope(file)
        if envelope is None or file.name == f"{releases.PREFIX}{SUFFIX}":
            continue
        good, faults = signers([(str(file), envelope)], request.policy, today=request.today)
        if not good:
            raise TrustError.of(faults)
        statement = envelope.statement(str(file))
        if [dict(each.digest) for each in statement.subjects] != [{"sha256": inventory}]:
            raise VerificationError(f"{file} is about another tree")
        checked.append(f"{file.name}: {statement.predicate_type}, by {', '.join(key.name for key in good)}")
    return checked


def verify_image(request: Request) -> Verified:
    """Return the acceptance of an image, of all that an index lists, or of all images in a layout folder.

    The subject is `DIR`, `DIR:TAG` or a reference of a registry. Every blob is read.
    """
    from lode.workflow.signing import verify_images

    return verify_images(request)


def verify_cvmfs(request: Request) -> Verified:
    """Return the acceptance of a published tree or a whole repository."""
    from lode.workflow import prove

    return prove.verify_cvmfs(request)


# How each kind is verified.
VERIFIERS: Mapping[Kind, Verifier] = {
    Kind.LOCK: verify_file,
    Kind.BUNDLE: verify_file,
    Kind.POLICY: verify_file,
    Kind.PREFIX: verify_prefix,
    Kind.RELEASE: verify_release,
    Kind.IMAGE: verify_image,
    Kind.CVMFS: verify_cvmfs,
}


def load_policy(file: Path, *, root: PublicKey | None, today: datetime.date) -> TrustPolicy:
    """Return the trust policy in `file`; with `root` it must be signed by that key.

    DefinitionError with its faults; VerificationError when it is not signed so, or was altered since it was signed.
    """
    subject = subjects.file_subject(Kind.POLICY, str(file), file)
    envelope = read_envelope(subject.signature)
    name = None
    if root is not None:
        found = [(str(subject.signature), envelope)] if envelope is not None else []
        sought = Sought(kind=Kind.POLICY, name=str(file), digests=subject.digests)
        name = verify(found, sole(root), sought=sought, today=today).claim.stack
    elif envelope is not None:
        signed = envelope.statement(str(subject.signature)).subjects[0].digest
        if dict(signed) != dict(subject.digests):
            hint = "its owner signs it again (`lode sign trust.yaml`), or you take it again"
            raise VerificationError(f"{file} was altered since it was signed", hint=hint)
    policy = read_policy(file)
    if name not in (None, policy.name):
        raise VerificationError(f"{file} was signed as the policy of {name!r}, and is that of {policy.name!r}")
    return policy


def read_policy(file: Path) -> TrustPolicy:
    """Return the trust policy in `file`; DefinitionError with its faults, HostError when it cannot be read."""
    return read_trust.read(subjects.read(file), file=str(file), beside=lambda name: (file.parent / name).read_bytes())


def _verified(subject: Subject, accepted: Accepted, *checked: str) -> Verified:
    return Verified(kind=subject.kind, name=subject.name, digests=subject.digests, accepted=accepted, checked=checked)


def _index(content: bytes, file: str) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads(content)
        for entry in index["files"].values():
            Digest(entry["sha256"])
        for target in index["targets"].values():
            target.setdefault("inventory", None)
        Digest(index["lock"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VerificationError(f"not the index of a release: {error}", place=Place(file=file)) from error
    return index


def _compare_files(folder: Path, listed: Mapping[str, Any]) -> int:
    """Return how many files are as listed; VerificationError for one that is not, is missing, or is not listed."""
    faults: list[LodeError] = []
    there = {str(path): found for path, (found, _) in releases.listed_files(folder).items()}
    for path in sorted({*there, *listed}):
        place = Place(file=str(folder / path))
        if path not in listed:
            faults.append(VerificationError("this file is not in the signed index", place=place))
        elif path not in there:
            faults.append(VerificationError("this file of the signed index is missing", place=place))
        elif there[path] != listed[path]["sha256"]:
            faults.append(VerificationError("this file is not the one in the signed index", place=place))
    if faults:
        raise VerificationError.of([error.faults[0] for error in faults])
    return len(listed)
