"""Keys, policies and envelopes for the tests of signing and verifying."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import Signer

from lode import digest
from lode.definitions.trust import Rule, TrustedKey, TrustPolicy
from lode.signing import claim, envelope, keys
from lode.signing.claim import Claim, Kind
from lode.signing.envelope import Envelope

TODAY = datetime.date(2026, 11, 25)
CONTENT = b"the lock"
DIGESTS = {"sha256": digest.of_bytes(CONTENT)}


@functools.cache
def private(name: str) -> ec.EllipticCurvePrivateKey:
    """Return the private key called `name`, always the same one: its number is a hash of the name."""
    return ec.derive_private_key(int(digest.of_bytes(name.encode()), 16) >> 1, ec.SECP256R1())


def signer(name: str) -> Signer:
    return keys.signer(private(name))


def public(name: str) -> keys.PublicKey:
    return keys.public_of(private(name))


def trusted(name: str, **changes: Any) -> TrustedKey:
    return TrustedKey(name=name, public=public(name), **changes)


def policy(*names: str, threshold: int = 1, **changes: Any) -> TrustPolicy:
    """Return a policy in which `threshold` of the keys called `names` sign everything."""
    fields: dict[str, Any] = {
        "name": "dance",
        "expires": "2027-11-25",
        "keys": tuple(trusted(name) for name in names),
        "rules": (Rule(kinds=tuple(Kind), stacks=("*",), keys=names, threshold=threshold),),
    }
    return TrustPolicy(**fields | changes)


def claimed(**changes: Any) -> Claim:
    fields: dict[str, Any] = {
        "kind": Kind.LOCK,
        "stack": "dance",
        "release": "2026.11",
        "signed": "2026-11-25T10:00:00Z",
    }
    return Claim(**fields | changes)


def sealed(*names: str, digests: dict[str, str] = DIGESTS, **changes: Any) -> Envelope:
    """Return a claim about CONTENT, signed by the keys called `names`."""
    return envelope.seal(claim.statement(claimed(**changes), "lode.lock", digests), *map(signer, names))


def flips(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the position and the whole for several changes of each byte of `content`."""
    for at, byte in enumerate(content):
        for bits in (0x01, 0x02, 0x20, 0x80):
            yield at, content[:at] + bytes([byte ^ bits]) + content[at + 1 :]
