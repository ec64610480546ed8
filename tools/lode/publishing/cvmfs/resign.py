"""Renewing the whitelist, in one step where the master key is, or in two when it lies elsewhere."""

from __future__ import annotations

import datetime

from cryptography.hazmat.primitives.asymmetric import rsa

from lode.errors import VerificationError
from lode.publishing.cvmfs import manifest, objects, whitelist
from lode.publishing.cvmfs.keys import fingerprint
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.stratum import Stratum
from lode.publishing.cvmfs.whitelist import Whitelist


def request(there: Stratum, certificate: bytes, *, now: datetime.datetime) -> bytes:
    """Return the text that the master key must sign: valid from now for as many days as the repository says.

    It lists `certificate`, and that of the present revision where it is another: after a change of keys, clients must
    take both until the next publication.
    """
    repository = there.repository
    listed = dict.fromkeys([*_present(there), fingerprint(certificate)])
    return whitelist.body(repository.name, list(listed), now=now, days=repository.whitelist_days)


def sign(text: bytes, master: rsa.RSAPrivateKey) -> bytes:
    """Return the whitelist of a request; VerificationError when `text` is none."""
    whitelist.parse(text)
    return whitelist.sign(text, master)


def install(there: Stratum, content: bytes, *, now: datetime.datetime) -> Whitelist:
    """Put a signed whitelist in place and return it; VerificationError, and nothing done, unless clients take it."""
    whitelist.check(content, there.public)
    found = whitelist.load(content)
    if found.name != there.repository.name:
        raise VerificationError(f"the whitelist is that of {found.name}, not of {there.repository.name}")
    if not found.valid_at(now):
        raise VerificationError(f"the whitelist expired on {found.expires:%Y-%m-%d %H:%M} UTC")
    if not set(_present(there)) <= set(found.fingerprints):
        raise VerificationError(
            "the whitelist does not name the certificate of the present revision",
            hint="make the request again, on the machine that publishes",
        )
    with there.storage.writer():
        there.storage.replace(whitelist.KEY, content)
    return found


def _present(there: Stratum) -> list[str]:
    """Return the fingerprint of the certificate that signed the present revision; none before the first."""
    content = there.storage.read(manifest.KEY)
    if content is None:
        return []
    return [fingerprint(objects.get(there.storage, manifest.load(content).certificate, Kind.CERTIFICATE))]
