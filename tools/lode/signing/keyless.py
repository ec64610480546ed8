"""Signatures by an identity instead of a key, checked with a Sigstore instance's trusted root, without a network.

A certificate says whom its issuer saw, for some minutes; a transparency log and a time stamp prove that the signature
was made then. The library `sigstore` checks all of that. It is asked for only here, when there is such a signature.
"""

from __future__ import annotations

import base64
import functools
import json
from typing import Any

from lode import digest
from lode.errors import HostError, LodeError, Place, VerificationError
from lode.signing import material as materials
from lode.signing import strict
from lode.signing.envelope import Envelope, Signature
from lode.signing.envelope import document as envelope_document
from lode.signing.identity import Identity, named

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
TRUSTED_ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
SIGNING_CONFIG = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
_CONFIG = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
_ROOT, _SERVICES = "a trusted root of Sigstore's", "a signing config of Sigstore's"
_HINT = "pip install 'lode[sigstore]'"


def check(envelope: Envelope, signature: Signature, root: bytes, file: str) -> Identity:
    """Return who signed the envelope, by the trusted root with these bytes; VerificationError with what is wrong.

    `signature` is one of the envelope's, with material. HostError where the library for it is missing.
    """
    library()
    if signature.material is None:
        raise ValueError("a signature by a key")
    found = named(signature.material, file)
    if signature.keyid != found.fingerprint:
        strict.refuse(f"the signature by {found} names another identity", file)
    materials.check(signature.material, _logs(root), file)
    for each in materials.variants(signature.material):
        _verify(bundle(envelope, Signature(keyid="", content=signature.content, material=each)), found, root, file)
    return found


def bundle(envelope: Envelope, signature: Signature) -> bytes:
    """Return the Sigstore bundle of one signature with material, as `cosign --bundle` reads it."""
    sealed = envelope_document(envelope)
    alone = {**sealed, "signatures": [{"sig": base64.b64encode(signature.content).decode()}]}
    return digest.canonical({"mediaType": BUNDLE, "verificationMaterial": signature.material, "dsseEnvelope": alone})


def config(root: bytes, signing: bytes | None, file: str) -> Any:
    """Return an instance's trusted root and signing config as the library holds them; VerificationError for others."""
    library()
    from sigstore.models import ClientTrustConfig

    what = "a trusted root of Sigstore's"
    document = {
        "mediaType": _CONFIG,
        "trustedRoot": strict.document(root, what, file),
        "signingConfig": {"mediaType": SIGNING_CONFIG}
        if signing is None
        else strict.document(signing, "a signing config of Sigstore's", file),
    }
    try:
        return ClientTrustConfig.from_json(json.dumps(document))
    except Exception as error:
        raise VerificationError(f"not {what}: {_short(error)}", place=Place(file=file)) from error


def library() -> None:
    """Raise HostError unless the library `sigstore` is there."""
    try:
        import sigstore.models  # noqa: F401
    except ImportError as error:
        message = f"signatures by an identity need the Python library sigstore, which is not here: {error}"
        raise HostError(message, hint=_HINT) from error


def _verify(content: bytes, found: Identity, root: bytes, file: str) -> None:
    from sigstore.models import Bundle
    from sigstore.verify.policy import Identity as Expected

    try:
        expected = Expected(identity=found.identity, issuer=found.issuer)
        _verifier(root).verify_dsse(Bundle.from_json(content), expected)
    except LodeError:
        raise
    except Exception as error:  # what the library meets in altered bytes is of many kinds
        message = f"{file}: the signature by {found} is not good by the trusted root: {_short(error)}"
        hint = "take the subject and its signature again from where they were published"
        raise VerificationError(message, hint=hint) from error


@functools.lru_cache(maxsize=8)
def _verifier(root: bytes) -> Any:
    from sigstore.verify import Verifier

    return Verifier(trusted_root=config(root, None, "the trusted root").trusted_root)


@functools.lru_cache(maxsize=8)
def _logs(root: bytes) -> frozenset[str]:
    """Return the ids of the logs in a trusted root, in base64."""
    listed = strict.document(root, _ROOT, "the trusted root").get("tlogs")
    logs = listed if isinstance(listed, list) else []
    ids = [each.get(key) for each in logs if isinstance(each, dict) for key in ("logId", "checkpointKeyId")]
    return frozenset(str(each.get("keyId")) for each in ids if isinstance(each, dict))


def _short(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.split("\n", 1)[0][:300]
