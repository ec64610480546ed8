"""Signatures by an identity, made in a private Sigstore instance in memory."""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import serialization
from tests.signing import factory, instance
from tests.signing.instance import Instance, Person

from lode import digest
from lode.definitions.trust import Rule, TrustedIdentity, TrustedRoot, TrustPolicy
from lode.signing import claim, envelope, statement
from lode.signing.claim import Kind
from lode.signing.envelope import Envelope, Signature
from lode.signing.identity import Identity

NOW = datetime.datetime(2026, 11, 25, 10, tzinfo=datetime.UTC)
PERSON = Person()


@functools.cache
def place(generation: int = 2, name: str = "sigstore.example.org") -> Instance:
    """Return an instance whose log has entries of others already."""
    made = Instance(name=name, url="https://rekor.example.org", generation=generation)
    for number in range(5):
        made.log.append(b"entry %d" % number, NOW, "hashedrekord", "0.0.2")
    return made


def trusted(**changes: Any) -> TrustedIdentity:
    fields: dict[str, Any] = {
        "name": "ci",
        "identity": PERSON.identity,
        "issuer": PERSON.issuer,
        "repository": PERSON.repository,
    }
    return TrustedIdentity(**fields | changes)


def policy(*identities: TrustedIdentity, root: bytes | None = None, **changes: Any) -> TrustPolicy:
    """Return a policy in which one of the identities signs everything."""
    known = identities or (trusted(),)
    fields: dict[str, Any] = {
        "name": "dance",
        "expires": "2027-11-25",
        "identities": known,
        "sigstore": TrustedRoot(file="sigstore-root.json", content=root or place().root()),
        "rules": (Rule(kinds=tuple(Kind), stacks=("*",), keys=tuple(each.name for each in known)),),
    }
    return TrustPolicy(**fields | changes)


def identity(person: Person = PERSON) -> Identity:
    return Identity(identity=person.identity, issuer=person.issuer, repository=person.repository)


def material(
    content: bytes, message: bytes, certificate: bytes, sealed: bytes, made: Instance, now: datetime.datetime
) -> dict[str, Any]:
    """Return what the instance says of the signature `content` of `message`, in the envelope `sealed`."""
    if made.generation == 1:
        pem = instance.pem(certificate)
        entry = made.enveloped(sealed, instance.text(pem), now)
        return {"certificate": {"rawBytes": instance.text(certificate)}, "tlogEntries": [entry]}
    entry = made.hashed(hashlib.sha256(message).digest(), content, certificate, now)
    stamp = instance.text(made.stamp(instance.imprint(content), now))
    return {
        "certificate": {"rawBytes": instance.text(certificate)},
        "tlogEntries": [entry],
        "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": stamp}]},
    }


def signed(
    found: Envelope,
    person: Person = PERSON,
    made: Instance | None = None,
    now: datetime.datetime = NOW,
    issued: datetime.datetime | None = None,
) -> Envelope:
    """Return the envelope with the person's signature; its certificate was `issued` then, by default now."""
    made = made or place()
    key = instance.made(f"a passing key of {person.identity}")
    certificate = made.certificate(key.public_key(), person, issued or now).public_bytes(serialization.Encoding.DER)
    content = instance.signed(key, found.message)
    alone = replace(found, signatures=(Signature(keyid="", content=content),))
    proof = material(content, found.message, certificate, json.dumps(envelope.document(alone)).encode(), made, now)
    signature = Signature(keyid=identity(person).fingerprint, content=content, material=proof)
    return replace(found, signatures=tuple(sorted((*found.signatures, signature), key=lambda each: each.keyid)))


def sealed(*names: str, person: Person = PERSON, made: Instance | None = None, **changes: Any) -> Envelope:
    """Return a claim about the factory's CONTENT, signed by the keys called `names` and by the person."""
    return signed(factory.sealed(*names, **changes) if names else unsigned(**changes), person, made)


def unsigned(**changes: Any) -> Envelope:
    made = claim.statement(factory.claimed(**changes), "lode.lock", factory.DIGESTS)
    return Envelope(payload=statement.dump(made), payload_type=envelope.PAYLOAD_TYPE, signatures=())


def altered(found: Envelope, change: Any) -> Envelope:
    """Return the envelope with its one signature's material as `change` leaves it (a function of JSON data)."""
    (signature,) = found.signatures
    data = json.loads(digest.canonical(signature.material))
    change(data)
    return replace(found, signatures=(replace(signature, material=data),))
