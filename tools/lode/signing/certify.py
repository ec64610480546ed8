"""Signing by an identity: an authority sees a token and certifies a key that lives for minutes, a log keeps its use.

The library `sigstore` talks to the instance. What it makes is checked at once with the trusted root that verifiers will
use, so that a signature nobody accepts is never written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization

from lode.errors import HostError, LodeError
from lode.signing import keyless
from lode.signing import material as materials
from lode.signing.envelope import Envelope, Signature
from lode.signing.identity import Identity, named

Tokens = Callable[[], str]  # a new OpenID Connect token of whom signs

_HERE = "the new certificate"


class IdentitySigner:
    """Signs by the identity in a token; one certificate serves until it is over, then a new token is asked for."""

    def __init__(self, root: bytes, services: bytes | None, tokens: Tokens, file: str) -> None:
        """Ask for a certificate; `services` is a signing config, None for the public instance, `file` names it.

        HostError when library, token or instance is not there; VerificationError for a root or config that is none.
        """
        self._root, self._tokens = root, tokens
        self._context = _context(root, services, file)
        self._signer, self.identity = self._certified()

    def certify(self, envelope: Envelope) -> Signature:
        """Return the signature of the envelope's statement with what proves it; HostError when it cannot be had."""
        made = self._made(lambda signer: signer.sign_dsse(_statement(envelope.payload)))
        content = base64.b64decode(made["dsseEnvelope"]["signatures"][0]["sig"])
        material = materials.tidied(made["verificationMaterial"])
        signature = Signature(keyid=self.identity.fingerprint, content=content, material=material)
        keyless.check(envelope, signature, self._root, "the new signature")
        return signature

    def holds(self, envelope: Envelope) -> bool:
        """Return whether the envelope has a good signature by this identity."""
        for each in envelope.signatures:
            if each.material is not None and each.keyid == self.identity.fingerprint:
                try:
                    return keyless.check(envelope, each, self._root, "the signature") == self.identity
                except LodeError:
                    return False
        return False

    def sign_bytes(self, content: bytes) -> tuple[bytes, Mapping[str, Any]]:
        """Return the signature of some bytes, and what proves it."""
        made = self._made(lambda signer: signer.sign_artifact(content))
        return base64.b64decode(made["messageSignature"]["signature"]), materials.tidied(made["verificationMaterial"])

    def _made(self, sign: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the bundle that `sign` makes; if it fails, once more with a new certificate: the first may be over."""
        try:
            try:
                bundle = sign(self._signer)
            except Exception:  # the library has errors of many kinds for it
                self._signer, again = self._certified()
                if again != self.identity:
                    raise
                bundle = sign(self._signer)
        except LodeError:
            raise
        except Exception as error:
            raise _failed("did not sign", error) from error
        made: dict[str, Any] = json.loads(bundle.to_json())
        return made

    def _certified(self) -> tuple[Any, Identity]:
        from sigstore.oidc import IdentityToken

        try:
            with self._context.signer(IdentityToken(self._tokens()), cache=True) as signer:
                der = signer._signing_cert().public_bytes(serialization.Encoding.DER)
        except LodeError:
            raise
        except Exception as error:
            raise _failed("gave no certificate", error) from error
        return signer, named({"certificate": {"rawBytes": base64.b64encode(der).decode()}}, _HERE)


def _statement(payload: bytes) -> Any:
    """Return the payload as the library holds statements; one that it reads itself must name its subjects."""
    from sigstore.dsse import Statement

    class Opaque(Statement):
        def __init__(self) -> None:
            self._contents = payload

    return Opaque()


def _context(root: bytes, services: bytes | None, file: str) -> Any:
    """Return how the instance is reached; what it answers is checked with the trusted root of the policy."""
    keyless.library()
    from sigstore.models import ClientTrustConfig
    from sigstore.sign import SigningContext

    trusted = keyless.config(root, services, file)
    try:
        signing = trusted.signing_config if services is not None else ClientTrustConfig.production().signing_config
        return SigningContext(
            fulcio=signing.get_fulcio(),
            rekor=signing.get_tlogs()[0],
            trusted_root=trusted.trusted_root,
            tsa_clients=signing.get_tsas(),
        )
    except Exception as error:
        raise _failed("cannot be reached", error) from error


def _failed(what: str, error: Exception) -> HostError:
    cause = f" ({error.__cause__})" if error.__cause__ and not str(error) else ""
    text = f"{type(error).__name__}: {error}{cause}".split("\n", 1)[0][:300]
    return HostError(f"the Sigstore instance {what}: {text}", hint="what it needs is in docs/how-to/keyless.md")
