"""Verifying an image by what is attached to it: Lode's claim, signatures in both forms of cosign's, attestations."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from lode.definitions.trust import Trusted, TrustedKey, TrustPolicy
from lode.digest import Digest
from lode.errors import Fault, TrustError, VerificationError
from lode.signing import claim as claims
from lode.signing.claim import Claim
from lode.signing.cosign import SIGNED_IMAGE, SimpleSignature
from lode.signing.envelope import Envelope
from lode.signing.statement import Statement
from lode.verifying.verify import Accepted, Sought, judge, refuse_expired, signers, verify, why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """Something that a key of the policy says about an image, beyond that it is signed."""

    predicate_type: str
    statement: Statement
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedImage:
    """An image that the policy accepts, and what its keys attest of it."""

    accepted: Accepted
    attested: tuple[Attested, ...]  # by predicate type


def verify_image(
    image: Digest,
    signatures: Sequence[tuple[str, SimpleSignature]],
    envelopes: Sequence[tuple[str, Envelope]],
    policy: TrustPolicy,
    *,
    sought: Sought,
    labels: Claim,
    today: datetime.date,
) -> AcceptedImage:
    """Return what `image`, whose bytes were hashed to it, is accepted as; each thing attached has its place's name.

    A claim of Lode's decides. Where there is none the image must be signed as cosign does, and `labels`, which the
    signed manifest itself holds, say what it is. VerificationError for anything by the policy's keys that is not of
    this image; TrustError as `verify` does.
    """
    refuse_expired(policy, today)
    simple, faults = _simple(image, signatures, policy, today)
    known: list[tuple[str, Envelope, Statement, tuple[Trusted, ...]]] = []
    for place, envelope in envelopes:
        good, why = signers([(place, envelope)], policy, today=today)
        faults += why
        if good:
            statement = envelope.statement(place)
            _about(statement, image, place)
            known.append((place, envelope, statement, good))
    claimed = [
        (place, envelope) for place, envelope, statement, _ in known if statement.predicate_type == claims.PREDICATE
    ]
    if claimed:
        accepted = verify(claimed, policy, sought=sought, today=today)
    else:
        signed: dict[str, Trusted] = {key.name: key for key in simple}
        for _, _, statement, good in known:
            if statement.predicate_type == SIGNED_IMAGE:
                signed |= {key.name: key for key in good}
        accepted = _by_labels(signed, faults, policy, sought, labels, today)
    return AcceptedImage(accepted=accepted, attested=_attested(known))


def _simple(
    image: Digest, signatures: Sequence[tuple[str, SimpleSignature]], policy: TrustPolicy, today: datetime.date
) -> tuple[list[TrustedKey], list[Fault]]:
    """Return the keys of the policy that signed the image as cosign 2 does, and why other signatures do not count."""
    found: list[TrustedKey] = []
    faults: list[Fault] = []
    for place, each in signatures:
        maker = next((key for key in policy.keys if key.public.verifies(each.signature, each.payload)), None)
        if maker is not None and each.image != image:
            raise VerificationError(f"{place}: the signature by the key {maker.name} is of another image")
        reason = why_not(maker, "", policy, today)
        if maker is not None and reason is None:
            found.append(maker)
        else:
            faults.append(Fault(message=f"{place}: a signature does not count: {reason}"))
    return found, faults


def _about(statement: Statement, image: Digest, place: str) -> None:
    if all(subject.digest.get("sha256") != image for subject in statement.subjects):
        raise VerificationError(f"{place}: what is attested there is of another image")


def _by_labels(
    signed: dict[str, Trusted],
    faults: Sequence[Fault],
    policy: TrustPolicy,
    sought: Sought,
    labels: Claim,
    today: datetime.date,
) -> Accepted:
    if not signed:
        if faults:
            raise TrustError.of(list(dict.fromkeys(faults)))
        hint = "`lode sign image` signs it; what is attached must be copied with it"
        raise VerificationError(f"the image {sought.name} is not signed", hint=hint)
    for what, asked, found in (("stack", sought.stack, labels.stack), ("release", sought.release, labels.release)):
        if asked is not None and asked != found:
            raise VerificationError(f"the image {sought.name} is of the {what} {found!r}, not {asked!r}")
    return judge(labels, policy, [signed[name] for name in sorted(signed)], faults, today=today)


def _attested(
    known: Sequence[tuple[str, Envelope, Statement, tuple[Trusted, ...]]],
) -> tuple[Attested, ...]:
    merged: dict[tuple[str, bytes], tuple[Statement, set[str]]] = {}
    for _, envelope, statement, good in known:
        if statement.predicate_type not in (claims.PREDICATE, SIGNED_IMAGE):
            entry = merged.setdefault((statement.predicate_type, envelope.payload), (statement, set()))
            entry[1].update(key.name for key in good)
    return tuple(
        Attested(predicate_type=kind, statement=statement, signers=tuple(sorted(names)))
        for (kind, _), (statement, names) in sorted(merged.items())
    )
