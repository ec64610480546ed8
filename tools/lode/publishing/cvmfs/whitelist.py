"""The whitelist `.cvmfswhitelist`: which certificates may sign manifests, and until when, signed by the master key.

Signing takes two steps, so that the master key may lie on a machine without a network: `body` is what to sign, `sign`
makes the file of it.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa

from lode.errors import VerificationError
from lode.publishing.cvmfs import objects
from lode.publishing.cvmfs.manifest import split

KEY = ".cvmfswhitelist"
_TIME = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whitelist:
    """Who may sign for a repository; clients look at the hour of `expires` only."""

    name: str
    created: datetime.datetime
    expires: datetime.datetime
    fingerprints: tuple[str, ...]

    def valid_at(self, now: datetime.datetime) -> bool:
        """Return whether clients take this whitelist at `now`: until the hour in which it expires begins."""
        return now < self.expires.replace(minute=0, second=0, microsecond=0)


def body(name: str, fingerprints: Sequence[str], *, now: datetime.datetime, days: int) -> bytes:
    """Return the text to be signed: valid from `now` (UTC) for `days`."""
    lines = (
        now.strftime(_TIME),
        f"E{(now + datetime.timedelta(days=days)).strftime(_TIME)}",
        f"N{name}",
        *fingerprints,
    )
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def sign(text: bytes, master: rsa.RSAPrivateKey) -> bytes:
    """Return the whitelist of the body `text`.

    The signature is RSA on the hash line itself, padded as PKCS #1 v1.5 type 1 (RFC 8017, 9.2) but without the name of
    a hash function: what `openssl pkeyutl -sign` makes.
    """
    hashed = objects.name_of(text).encode("ascii")
    numbers = master.private_numbers()
    modulus = numbers.public_numbers.n
    message = int.from_bytes(_padded(hashed, modulus), "big")
    signature = pow(message, numbers.d, modulus).to_bytes(_length(modulus), "big")
    return text + b"--\n" + hashed + b"\n" + signature


def load(content: bytes) -> Whitelist:
    """Return the whitelist in `content`, its signature unchecked; VerificationError when it cannot be one."""
    text, _, _ = split(content, KEY)
    return parse(text)


def parse(text: bytes) -> Whitelist:
    """Return the whitelist whose body is `text`; VerificationError when it cannot be one."""
    lines = text.decode("latin-1").splitlines()
    try:
        created, expires, name = lines[0], lines[1], lines[2]
        if not (expires.startswith("E") and name.startswith("N")):
            raise ValueError("its head is not creation, expiry and name")
        return Whitelist(
            name=name[1:],
            created=_time(created),
            expires=_time(expires[1:]),
            fingerprints=tuple(line.split(" ")[0].strip() for line in lines[3:] if line),
        )
    except (ValueError, IndexError) as error:
        raise VerificationError(f"the whitelist is damaged: {error}") from error


def check(content: bytes, public: rsa.RSAPublicKey) -> None:
    """Raise VerificationError unless the whitelist in `content` is whole and signed by the master key of `public`."""
    text, hashed, signature = split(content, KEY)
    if objects.name_of(text) != hashed.decode("latin-1"):
        raise VerificationError("the whitelist is damaged: its hash line is not that of its text")
    numbers = public.public_numbers()
    opened = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(_length(numbers.n), "big")
    if len(signature) != _length(numbers.n) or opened != _padded(hashed, numbers.n):
        raise VerificationError(
            "the whitelist is not signed by the master key", hint="the public key may be that of another repository"
        )


def _padded(text: bytes, modulus: int) -> bytes:
    return b"\0\x01" + b"\xff" * (_length(modulus) - 3 - len(text)) + b"\0" + text


def _length(modulus: int) -> int:
    return (modulus.bit_length() + 7) // 8


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.strptime(text, _TIME).replace(tzinfo=datetime.UTC)
