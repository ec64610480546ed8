"""Writing signatures: what is said of a subject, signed beside it, with those already there on the same statement."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer

from lode import tree
from lode.digest import Digest
from lode.errors import HostError, UsageError, VerificationError
from lode.installing import prefix as prefixes
from lode.locking import lockfile
from lode.signing import claim as claims
from lode.signing import cosign, keyless
from lode.signing import envelope as envelopes
from lode.signing import statement as statements
from lode.signing.claim import Claim, Kind
from lode.signing.envelope import SUFFIX, AnySigner, Certifier, Envelope
from lode.signing.keys import P256, load_public
from lode.signing.statement import Statement
from lode.workflow import report as releases
from lode.workflow import subjects
from lode.workflow.subjects import Subject, read_envelope
from lode.workflow.trust import read_policy

BUNDLE_SUFFIX = ".sigstore.json"  # of the same signature for cosign


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature that was written."""

    file: Path
    claim: Claim
    keys: tuple[str, ...]  # fingerprints of all keys that have signed the statement


def read_claim(subject: Subject, *, stack: str | None, now: datetime.datetime) -> Claim:
    """Return what there is to say of `subject`, read from it; `stack` (NAME@RELEASE) says it of a bundle.

    The errors of whatever is read: a lock that is not sound is not signed, nor a tree's record that is damaged.
    """
    signed = now.astimezone(datetime.UTC).isoformat(timespec="seconds")
    match subject.kind:
        case Kind.LOCK | Kind.RELEASE:
            file = subject.path if subject.kind is Kind.LOCK else subject.path.parent / releases.LOCK
            lock = lockfile.load(subjects.read(file), str(file))
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
    content = subjects.read(subject.path)
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
