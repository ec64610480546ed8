"""An image's signature by an identity in the form that cosign 2 reads: with the certificate, and the log's promise.

Source: sigstore/cosign specs/SIGNATURE_SPEC.md, and what cosign 2.5 accepts. Only a log of Rekor's first generation
gives the promise; with a later one there is no such form, and the bundle beside the image is the only signature.
"""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives import serialization

from lode import digest as digests
from lode.signing.cosign import SIGNATURE, SIMPLE_SIGNING, Layer
from lode.signing.identity import certificate_of
from lode.signing.material import Material

CERTIFICATE = "dev.sigstore.cosign/certificate"
_BUNDLE = "dev.sigstore.cosign/bundle"


def layer(payload: bytes, signature: bytes, material: Material) -> Layer:
    """Return the layer that holds the signature of cosign's `payload`; ValueError unless its log promises a time."""
    (entry,) = material["tlogEntries"]
    if not promises(material):
        raise ValueError("a log without promises")
    logged: dict[str, Any] = {
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logIndex": int(entry["logIndex"]),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        },
    }
    pem = certificate_of(material, "the new certificate").public_bytes(serialization.Encoding.PEM)
    return Layer(
        content=payload,
        media_type=SIMPLE_SIGNING,
        annotations={
            SIGNATURE: base64.b64encode(signature).decode(),
            CERTIFICATE: pem.decode(),
            _BUNDLE: digests.canonical(logged).decode(),
        },
    )


def promises(material: Material) -> bool:
    """Return whether the log that has the signature promised when it took it."""
    return "inclusionPromise" in material["tlogEntries"][0]
