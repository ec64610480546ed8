"""Signing subjects and verifying them: what each kind is made of, where its signature lies, and what is looked at.

The signature of `X` is the file `X.dsse` beside it: of a lock, a bundle or a trust policy beside the file, of a prefix
beside its folder, of a release beside the `index.json` that lists its files.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer

from lode import tree
from lode.definitions import read_trust
from lode.definitions.trust import TrustPolicy, sole
from lode.digest import Digest
from lode.errors import HostError, LodeError, Place, TrustError, UsageError, VerificationError
from lode.installing import prefix as prefixes
from lode.locking import lockfile
from lode.progress import Progress
from lode.publishing.oci.store import OciStore
from lode.signing import claim as claims
from lode.signing import cosign, keyless
from lode.signing import envelope as envelopes
from lode.signing import statement as statements
from lode.signing.claim import Claim, Kind
from lode.signing.envelope import SUFFIX, AnySigner, Certifier, Envelope
from lode.signing.keys import P256, PublicKey, load_public
from lode.signing.statement import Statement
from lode.verifying.verify import Accepted, Sought, signers, verify
from lode.workflow import report as releases
from lode.workflow.test import verify_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something on disk that is signed or verified: its bytes by digest, and the file that holds its signatures."""

    kind: Kind
    name: str  # for messages and the statement's subject
    path: Path
    signature: Path
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature that was written."""

    file: Path
    claim: Claim
    keys: tuple[str, ...]  # fingerprints of all keys that have signed the statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A subject that was accepted, and what was looked at for it, in words."""

    kind: Kind
    name: str
    digests: Mapping[str, str]
    accepted: Accepted
    checked: tuple[str, ...]


BUNDLE_SUFFIX = ".sigstore.json"  # of the same signature for cosign

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


def kind_of(subject: str, releases_folder: Path) -> Kind:
    """Return what `subject` is by its name and place; UsageError when nothing tells. Its content is not looked at."""
    path = Path(subject)
    if path.is_dir():
        if prefixes.is_prefix(path):
            return Kind.CVMFS if (path / ".cvmfscatalog").is_file() else Kind.PREFIX
        if (path / "oci-layout").is_file():
            return Kind.IMAGE
        if (path / releases.INDEX).is_file() or (path / releases.LOCK).is_file():
            return Kind.RELEASE
        if (path / ".cvmfspublished").is_file():
            return Kind.CVMFS
        raise UsageError(f"{subject} is no prefix, release folder, image layout or CVMFS repository")
    if path.is_file():
        if path.suffix == ".lock":
            return Kind.LOCK
        return Kind.POLICY if path.suffix in (".yaml", ".yml") else Kind.BUNDLE
    if subject.startswith(("http://", "https://")):
        return Kind.CVMFS
    if "/" in subject and not path.exists() and not subject.startswith((".", "/")):
        return Kind.IMAGE
    if ":" in subject and (Path(subject.rpartition(":")[0]) / "oci-layout").is_file():
        return Kind.IMAGE
    if any((releases_folder / subject.partition("@")[0]).glob(f"*/{releases.LOCK}")):
        return Kind.RELEASE
    hint = "a file, a folder or the name of a released stack; `image REF` for one in a registry"
    raise UsageError(f"there is no {subject} here", hint=hint)


def subject_of(kind: Kind, subject: str, releases_folder: Path) -> Subject:
    """Return the subject of `kind` that `subject` names, its bytes hashed; HostError when it cannot be read."""
    path = releases.find_release(releases_folder, subject) if kind is Kind.RELEASE else Path(subject)
    match kind:
        case Kind.PREFIX:
            found = path.resolve()
            inventory = prefixes.read(found).inventory
            beside = found.with_name(found.name + SUFFIX)
            return Subject(kind=kind, name=subject, path=path, signature=beside, digests={"sha256": inventory})
        case Kind.RELEASE:
            return _file(kind, str(path), path / releases.INDEX)
        case Kind.LOCK | Kind.BUNDLE | Kind.POLICY | Kind.CVMFS:
            if kind is Kind.CVMFS and path.suffix != ".pub":
                hint = f"such as ~/.config/lode/keys/cvmfs/<fqrn>/<fqrn>.pub; trees are signed as prefixes: {subject}"
                raise UsageError("of a CVMFS repository the public key is signed, <fqrn>.pub", hint=hint)
            return _file(kind, subject, path)
    raise UsageError(f"a subject of the kind {kind} lies in no file that can be signed alone")


def read_claim(subject: Subject, *, stack: str | None, now: datetime.datetime) -> Claim:
    """Return what there is to say of `subject`, read from it; `stack` (NAME@RELEASE) says it of a bundle.

    The errors of whatever is read: a lock that is not sound is not signed, nor a tree's record that is damaged.
    """
    signed = now.astimezone(datetime.UTC).isoformat(timespec="seconds")
    match subject.kind:
        case Kind.LOCK | Kind.RELEASE:
            file = subject.path if subject.kind is Kind.LOCK else subject.path.parent / releases.LOCK
            lock = lockfile.load(_read(file), str(file))
            return Claim(kind=subject.kind, stack=lock.stack, release=lock.release, signed=signed, lock=lock.digest)
        case Kind.PREFIX:
            prefix = prefixes.read(subject.path)
            return Claim(
                kind=subject.kind,
                stack=prefix.stack,
                release=prefix.release,
                target=prefix.target,
                group=prefix.group or "",
                signed=signed,
                lock=prefix.lock_digest,
            )
        case Kind.CVMFS:
            return Claim(kind=subject.kind, stack=subject.path.stem, release="", signed=signed)
        case Kind.POLICY:
            policy = read_policy(subject.path)
            return Claim(kind=subject.kind, stack=policy.name, release="", signed=signed)
    name, _, release = (stack or "").partition("@")
    if not release:
        raise UsageError(f"nothing in {subject.name} says what it belongs to", hint="give --stack NAME@RELEASE")
    return Claim(kind=subject.kind, stack=name, release=release, signed=signed)


def sign(subject: Subject, claim: Claim, signer: AnySigner, *, sequence: int | None = None) -> Signed:
    """Write the signature of `subject` beside it, with those already there on the same statement.

    Signing other bytes of the same release counts as the next try of it, unless `sequence` says which it is.
    """
    made = write_signature(
        subject.signature, claim, signer, name=subject.path.name, digests=subject.digests, sequence=sequence
    )
    if not isinstance(signer, Signer):
        _write_claim(subject.signature, signer)
    elif subject.kind in (Kind.LOCK, Kind.RELEASE) and signer.public_key.scheme == P256:
        _write_bundle(subject, signer)
    return made


def _write_claim(file: Path, signer: Certifier) -> None:
    """Write the signed claim once more as a bundle, which `cosign verify-blob-attestation --bundle` reads."""
    envelope = read_envelope(file)
    for each in envelope.signatures if envelope else ():
        if envelope and each.keyid == signer.identity.fingerprint:
            name = f"{file.name.removesuffix(SUFFIX)}{BUNDLE_SUFFIX}"
            _replace(file.with_name(name), keyless.bundle(envelope, each))


def _write_bundle(subject: Subject, signer: Signer) -> None:
    """Write the signature of a small file once more, as `cosign verify-blob --bundle` reads it."""
    file = subject.path.with_name(subject.path.name + BUNDLE_SUFFIX)
    key = load_public(signer.public_key.keyval["public"].encode(), "the signer's key")
    content = _read(subject.path)
    with contextlib.suppress(VerificationError, OSError):
        sha256, signature = cosign.read_blob_bundle(file.read_bytes(), str(file))
        if sha256 == subject.digests["sha256"] and key.verifies(signature.content, content):
            return
    signature_bytes = envelopes.sign(signer, content)
    _replace(file, cosign.blob_bundle(Digest(subject.digests["sha256"]), signature_bytes, signer))


def write_signature(
    file: Path, claim: Claim, signer: AnySigner, *, name: str, digests: Mapping[str, str], sequence: int | None = None
) -> Signed:
    """Write the signature of the bytes with these digests to `file`; the same as `sign` for what is not on disk."""
    previous = _previous(file)
    if previous is not None:
        envelope, statement, before = previous
        number = before.sequence if sequence is None else sequence
        same = claims.statement(replace(claim, signed=before.signed, sequence=number), name, digests) == statement
        if same:
            return _write(file, envelopes.joined(envelope, signer), before)
        if sequence is None and (before.stack, before.release) == (claim.stack, claim.release):
            sequence = before.sequence + 1
    claim = replace(claim, sequence=sequence or 1)
    return _write(file, envelopes.seal(claims.statement(claim, name, digests), signer), claim)


def write_statement(file: Path, statement: Statement, by: Sequence[AnySigner]) -> None:
    """Write `statement`, signed by `by`, to `file`; signatures already there on the same statement are kept."""
    envelope = None
    with contextlib.suppress(VerificationError):
        envelope = read_envelope(file)
    if envelope is None or envelope.payload != statements.dump(statement):
        envelope = envelopes.seal(statement)
    for signer in by:
        envelope = envelopes.joined(envelope, signer)
    _replace(file, envelopes.dump(envelope))


def verify_file(request: Request) -> Verified:
    """Return the acceptance of a lock, bundle or trust policy; VerificationError, TrustError with the reason."""
    subject = subject_of(request.kind, request.subject, request.releases)
    accepted = request.accept(subject)
    checked = [f"every byte of {subject.name}"]
    if subject.kind is Kind.LOCK:
        lock = lockfile.load(_read(subject.path), str(subject.path))
        if lock.digest != accepted.claim.lock:
            raise VerificationError(f"{subject.name} has the digest {lock.digest[:16]}…, not the one that was signed")
        checked.append(f"{len(lock.nodes)} nodes, whose hashes follow from their fields")
    return _verified(subject, accepted, *checked)


def verify_prefix(request: Request) -> Verified:
    """Return the acceptance of a prefix, its whole tree read and compared with the signed inventory."""
    subject = subject_of(request.kind, request.subject, request.releases)
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
    subject = subject_of(request.kind, request.subject, request.releases)
    accepted = request.accept(subject)
    folder = subject.path.parent
    index = _index(_read(subject.path), str(subject.path))
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
    subject = _file(Kind.POLICY, str(file), file)
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
    return read_trust.read(_read(file), file=str(file), beside=lambda name: (file.parent / name).read_bytes())


def read_envelope(file: Path) -> Envelope | None:
    """Return the envelope in `file`, None when there is none; VerificationError when it is damaged."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"{file} cannot be read: {error.strerror}") from error
    return envelopes.load(content, str(file))


def _previous(file: Path) -> tuple[Envelope, Any, Claim] | None:
    """Return the envelope in `file` with its statement and claim; None for none, or one that is not Lode's."""
    try:
        envelope = read_envelope(file)
        if envelope is None:
            return None
        statement = envelope.statement(str(file))
        return envelope, statement, claims.read(statement, str(file))
    except VerificationError:
        return None


def _replace(file: Path, content: bytes) -> None:
    try:
        tree.replace(file, content)
    except OSError as error:
        raise HostError(f"the signature cannot be written to {file}: {error.strerror}") from error


def _write(file: Path, envelope: Envelope, claim: Claim) -> Signed:
    _replace(file, envelopes.dump(envelope))
    return Signed(file=file, claim=claim, keys=tuple(each.keyid for each in envelope.signatures))


def _verified(subject: Subject, accepted: Accepted, *checked: str) -> Verified:
    return Verified(kind=subject.kind, name=subject.name, digests=subject.digests, accepted=accepted, checked=checked)


def _file(kind: Kind, name: str, path: Path) -> Subject:
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from error
    beside = path.with_name(path.name + SUFFIX)
    return Subject(kind=kind, name=name, path=path, signature=beside, digests={"sha256": sha256})


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


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from error
