"""Verifying a subject: its digests, the envelopes that were found for it, and the trust policy."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lode.definitions.read_trust import expiring
from lode.definitions.trust import Trusted, TrustedKey, TrustPolicy
from lode.definitions.version import Version
from lode.errors import Fault, TrustError, VerificationError
from lode.signing import claim as claims
from lode.signing import keyless
from lode.signing.claim import Claim, Kind
from lode.signing.envelope import Envelope, Signature
from lode.signing.identity import Identity, named
from lode.signing.statement import Statement

_AGAIN = "take the subject and its signature again from where they were published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is to be verified: the kind of thing, the digests of its bytes, and what is expected of it."""

    kind: Kind
    name: str  # for messages
    digests: Mapping[str, str]  # by algorithm; all of them must be those that were signed
    stack: str | None = None  # None: whatever was signed
    release: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What a subject was accepted as: the claim, whose signatures counted, and what to look after soon."""

    claim: Claim
    signers: tuple[str, ...]  # names of the policy's keys and identities, sorted
    warnings: tuple[Fault, ...]


def verify(
    envelopes: Sequence[tuple[str, Envelope]], policy: TrustPolicy, *, sought: Sought, today: datetime.date
) -> Accepted:
    """Return what `sought` is accepted as by one of `envelopes`, each with the name of its place.

    VerificationError when nothing was signed, a signature is not of these bytes, or other bytes were signed; TrustError
    when the bytes are whole but the policy does not accept them: unknown, expired or revoked keys, too few of them, no
    rule, too old a release, or a policy that has expired itself.
    """
    refuse_expired(policy, today)
    if not envelopes:
        raise VerificationError(
            f"{sought.name} is not signed", hint="`lode sign` signs it; its signature lies beside it"
        )
    refused: list[Fault] = []
    altered = False
    for message in dict.fromkeys(envelope.message for _, envelope in envelopes):
        same = [(place, envelope) for place, envelope in envelopes if envelope.message == message]
        good, faults = signers(same, policy, today=today)
        try:
            if not good:
                raise TrustError.of(faults)
            statement = same[0][1].statement(same[0][0])
            claim = claims.read(statement, same[0][0])
            _compare(statement, claim, sought)
            return judge(claim, policy, good, faults, today=today)
        except VerificationError as error:
            refused += error.faults
            altered = altered or not isinstance(error, TrustError)
    raise (VerificationError if altered else TrustError).of(refused)


def verify_statement(
    envelope: Envelope, place: str, policy: TrustPolicy, *, kind: Kind, today: datetime.date
) -> tuple[Accepted, Statement]:
    """Return what a statement that lists its own subjects is accepted as, and the statement.

    For what has no bytes besides the envelope, such as the index of a store. Errors as those of `verify`.
    """
    refuse_expired(policy, today)
    good, faults = signers([(place, envelope)], policy, today=today)
    if not good:
        raise TrustError.of(faults or [Fault(message=f"{place} has no signature")])
    statement = envelope.statement(place)
    claim = claims.read(statement, place)
    if claim.kind is not kind:
        raise VerificationError(f"what was signed is a {claim.kind}, not the {kind} {place}", hint=_AGAIN)
    return judge(claim, policy, good, faults, today=today), statement


def refuse_expired(policy: TrustPolicy, today: datetime.date) -> None:
    """Raise TrustError when the policy's last day is over."""
    if policy.expires < today.isoformat():
        hint = "its owner sets a new day after a look at it; take the new policy from there"
        raise TrustError(f"the trust policy {policy.name} expired on {policy.expires}", hint=hint)


def signers(
    envelopes: Iterable[tuple[str, Envelope]], policy: TrustPolicy, *, today: datetime.date
) -> tuple[tuple[Trusted, ...], list[Fault]]:
    """Return whose signatures are on the envelopes and count today, and why others do not.

    VerificationError when a signature that names a key or an identity of the policy is not by it, or hides whose it is.
    """
    good: dict[str, Trusted] = {}
    faults: list[Fault] = []
    for place, envelope in envelopes:
        for signature in envelope.signatures:
            maker, unknown = (
                _by_key(place, envelope.message, signature, policy)
                if signature.material is None
                else _by_identity(place, envelope, signature, policy)
            )
            reason = why_not(maker, signature.keyid, policy, today)
            if maker is not None and reason is None:
                good[maker.name] = maker
            else:
                why = unknown if maker is None and unknown and not _revoked(signature.keyid, policy) else reason
                faults.append(Fault(message=f"a signature does not count: {why}", hint=_ASK))
    return tuple(good[name] for name in sorted(good)), faults


_ASK = "the experiment's trust.yaml says whose signatures count; look whether yours is the newest"


def _by_key(
    place: str, message: bytes, signature: Signature, policy: TrustPolicy
) -> tuple[TrustedKey | None, str | None]:
    """Return the policy's key that made a signature, None when none did."""
    known = policy.key(signature.keyid)
    if known is not None:
        if not known.public.verifies(signature.content, message):
            raise VerificationError(
                f"{place}: the signature that names the key {known.name} is not by it, or not of these bytes",
                hint=_AGAIN,
            )
        return known, None
    maker = next((key for key in policy.keys if key.public.verifies(signature.content, message)), None)
    if maker is not None and signature.keyid:
        raise VerificationError(f"{place}: the signature by the key {maker.name} names another key", hint=_AGAIN)
    return maker, None


def _by_identity(
    place: str, envelope: Envelope, signature: Signature, policy: TrustPolicy
) -> tuple[Trusted | None, str | None]:
    """Return the policy's identity that made a signature; None and the reason when its certificate names none.

    A certificate that names nobody of the policy is not looked at any further: others may sign too.
    """
    try:
        found = named(signature.material or {}, place)
    except VerificationError as error:
        return None, error.faults[0].message
    maker = policy.identity(found)
    if maker is None:
        return None, _stranger(found, policy)
    if policy.sigstore is None:
        raise ValueError("a policy with identities names what proves them")
    keyless.check(envelope, signature, policy.sigstore.content, place)
    return maker, None


def _stranger(found: Identity, policy: TrustPolicy) -> str:
    """Return why a certificate is of nobody in the policy."""
    for each in policy.identities:
        alike = replace(each, issuer=found.issuer, repository="")
        if not alike.is_of(found):
            continue
        if each.issuer != found.issuer:
            return f"{found.identity} is vouched for by {found.issuer}; of {each.name} the issuer is {each.issuer}"
        of = found.repository or "no repository that it names"
        return f"{found.identity} ran for {of}; of {each.name} the repository is {each.repository}"
    return f"the trust policy does not know the identity {found}"


def _revoked(fingerprint: str, policy: TrustPolicy) -> bool:
    return any(each.fingerprint == fingerprint for each in policy.revoked)


def why_not(maker: Trusted | None, keyid: str, policy: TrustPolicy, today: datetime.date) -> str | None:
    """Return why a signature by `maker`, or by an unknown one said to be `keyid`, does not count; None when it does."""
    what = "key" if maker is None or isinstance(maker, TrustedKey) else "identity"
    fingerprint = maker.public.fingerprint if isinstance(maker, TrustedKey) else keyid
    for revoked in policy.revoked:
        if revoked.fingerprint == fingerprint:
            since = f" on {revoked.since}" if revoked.since else ""
            return f"the {what} {maker.name if maker else fingerprint[:16]} was revoked{since}: {revoked.reason}"
    if maker is None:
        return f"the trust policy does not know the key {fingerprint[:16] or 'that made it'}"
    if maker.expires is not None and maker.expires < today.isoformat():
        return f"the {what} {maker.name} expired on {maker.expires}"
    return None


def judge(
    claim: Claim, policy: TrustPolicy, good: Sequence[Trusted], faults: Sequence[Fault], *, today: datetime.date
) -> Accepted:
    """Return the acceptance of a claim that `good` have signed; TrustError unless the policy's rule is met.

    `faults` say why other signatures did not count, for the message.
    """
    rule = policy.rule(claim.kind, claim.stack)
    if rule is None:
        message = f"the trust policy {policy.name} has no rule for the {claim.kind} of {claim.stack}"
        raise TrustError(message, hint="a rule of trust.yaml says who may sign it")
    counted = tuple(key.name for key in good if key.name in rule.keys)
    if len(counted) < rule.threshold:
        needed = f"{rule.threshold} of {', '.join(rule.keys)}"
        by = ", ".join(key.name for key in good)
        message = f"the {claim.kind} of {claim.stack} must be signed by {needed}; it is signed by {by}"
        raise TrustError.of([Fault(message=message), *faults])
    _refuse_replay(claim, policy)
    warnings = expiring(policy, today, only=counted)
    return Accepted(claim=claim, signers=counted, warnings=tuple(warnings))


def _compare(statement: Statement, claim: Claim, sought: Sought) -> None:
    """Raise VerificationError unless the statement is about what is sought."""
    signed = statement.subjects[0].digest if len(statement.subjects) == 1 else {}
    if claim.kind is not sought.kind:
        raise VerificationError(f"what was signed is a {claim.kind}, not the {sought.kind} {sought.name}", hint=_AGAIN)
    if not sought.digests or dict(signed) != dict(sought.digests):
        algorithm = next(iter(sought.digests), "sha256")
        was, now = signed.get(algorithm, "none")[:16], sought.digests.get(algorithm, "none")[:16]
        message = f"{sought.name} is not what was signed: its {algorithm} is {now}…, that of the signed one {was}…"
        raise VerificationError(message, hint=_AGAIN)
    for what, asked, found in (("stack", sought.stack, claim.stack), ("release", sought.release, claim.release)):
        if asked is not None and asked != found:
            raise VerificationError(f"{sought.name} was signed as {what} {found!r}, not {asked!r}", hint=_AGAIN)


def _refuse_replay(claim: Claim, policy: TrustPolicy) -> None:
    minimum = policy.minimum.get(claim.stack)
    if minimum is None:
        return
    oldest = f"{minimum.release} ({minimum.sequence})"
    try:
        found = (Version(claim.release), claim.sequence)
        older = found < (Version(minimum.release), minimum.sequence)
    except ValueError as error:
        raise TrustError(f"the release {claim.release!r} of {claim.stack} cannot be compared with {oldest}") from error
    if older:
        message = (
            f"{claim.stack} {claim.release} ({claim.sequence}) is older than {oldest}, the oldest that is accepted"
        )
        raise TrustError(message, hint="somebody may be offering an old release on purpose; take the present one")
