"""The chain of trust as a client follows it: public key, whitelist, certificate, manifest."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa

from lode.errors import PublicationError, VerificationError
from lode.publishing.cvmfs import keys, manifest, objects, whitelist
from lode.publishing.cvmfs.manifest import Manifest
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.storage import Reader
from lode.publishing.cvmfs.whitelist import Whitelist

WARN_DAYS = 7  # before a whitelist expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What was proved to come from the owner of the master key; whether the whitelist still counts is left to ask."""

    manifest: Manifest
    content: bytes  # of `.cvmfspublished`
    whitelist: Whitelist


def chain(storage: Reader, name: str, public: rsa.RSAPublicKey) -> Chain | None:
    """Return what a client of `public` would believe, None when nothing was published yet.

    VerificationError for the first link that does not hold.
    """
    content = storage.read(manifest.KEY)
    if content is None:
        return None
    found = manifest.load(content)
    if found.name != name:
        raise VerificationError(f"the manifest is that of {found.name}, not of {name}")
    listed = read_whitelist(storage, name, public)
    certificate = objects.get(storage, found.certificate, Kind.CERTIFICATE)
    manifest.check(content, keys.load_certificate(certificate))
    if keys.fingerprint(certificate) not in listed.fingerprints:
        raise VerificationError("the whitelist does not name the certificate that signed the manifest")
    return Chain(manifest=found, content=content, whitelist=listed)


def read_whitelist(storage: Reader, name: str, public: rsa.RSAPublicKey) -> Whitelist:
    """Return the whitelist; VerificationError when it is missing, another repository's or not signed by `public`."""
    content = storage.read(whitelist.KEY)
    if content is None:
        raise VerificationError("the whitelist is missing", hint="`lode cvmfs resign` writes a new one")
    whitelist.check(content, public)
    listed = whitelist.load(content)
    if listed.name != name:
        raise VerificationError(f"the whitelist is that of {listed.name}, not of {name}")
    return listed


def require_valid(listed: Whitelist, now: datetime.datetime) -> None:
    """Raise PublicationError when clients refuse the whitelist at `now`."""
    if not listed.valid_at(now):
        raise PublicationError(
            f"the whitelist expired on {listed.expires:%Y-%m-%d %H:%M} UTC, and clients refuse the repository",
            hint=f"`lode cvmfs resign {listed.name}` renews it; it needs the master key",
        )


def warning(listed: Whitelist, now: datetime.datetime) -> str | None:
    """Return a sentence when the whitelist expires soon, else None."""
    left = listed.expires - now
    if left > datetime.timedelta(days=WARN_DAYS):
        return None
    return f"the whitelist expires on {listed.expires:%Y-%m-%d %H:%M} UTC: `lode cvmfs resign {listed.name}` renews it"
