"""Sealing statements: a DSSE envelope holds the statement's bytes and the signatures over them.

Form: secure-systems-lab/dsse, protocol.md and envelope.md. Lode's own envelopes have one byte form (canonical JSON and
a line break), each signature naming its key by fingerprint, so that no byte of a file can change unnoticed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from securesystemslib.dsse import Envelope as LibraryEnvelope
from securesystemslib.signer import Signer

from lode import digest
from lode.digest import Digest
from lode.errors import HostError, LodeError
from lode.signing import statement as statements
from lode.signing import strict
from lode.signing.identity import Identity
from lode.signing.keys import load_public
from lode.signing.statement import Statement

PAYLOAD_TYPE = "application/vnd.in-toto+json"
SUFFIX = ".dsse"  # of the file beside what was signed
WHAT = "a DSSE envelope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature, and which key is said to have made it: a fingerprint, or nothing in cosign's envelopes.

    One by an identity has that identity's fingerprint, and the material of a Sigstore bundle that proves it.
    """

    keyid: str
    content: bytes
    material: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Bytes of a type, and signatures over both."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    @property
    def message(self) -> bytes:
        """Return what the signatures are of: DSSE's pre-authentication encoding of type and payload."""
        encoded: bytes = LibraryEnvelope(self.payload, self.payload_type, {}).pae()
        return encoded

    def statement(self, file: str) -> Statement:
        """Return the statement inside; VerificationError unless the payload is one. It is as good as its signatures."""
        if self.payload_type != PAYLOAD_TYPE:
            strict.refuse(f"the envelope holds {self.payload_type!r}, no in-toto statement", file)
        return statements.load(self.payload, file)


class Certifier(Protocol):
    """Who signs envelopes by an identity, without a key of their own."""

    @property
    def identity(self) -> Identity:
        """Return whom the certificate names."""

    def certify(self, envelope: Envelope) -> Signature:
        """Return a signature with what proves it."""

    def holds(self, envelope: Envelope) -> bool:
        """Return whether the envelope has a good signature by this identity."""


AnySigner = Signer | Certifier


def seal(statement: Statement, *signers: AnySigner) -> Envelope:
    """Return the statement signed by each of `signers`; HostError when one cannot sign."""
    envelope = Envelope(payload=statements.dump(statement), payload_type=PAYLOAD_TYPE, signatures=())
    for signer in signers:
        envelope = add(envelope, signer)
    return envelope


def add(envelope: Envelope, signer: AnySigner) -> Envelope:
    """Return the envelope with the signer's signature, in place of an older one of the same key or identity."""
    if isinstance(signer, Signer):
        signature = Signature(keyid=signer.public_key.keyid, content=sign(signer, envelope.message))
    else:
        signature = signer.certify(envelope)
    others = [each for each in envelope.signatures if each.keyid != signature.keyid]
    return replace(envelope, signatures=tuple(sorted((*others, signature), key=lambda each: each.keyid)))


def joined(envelope: Envelope, signer: AnySigner) -> Envelope:
    """Return the envelope with the signer's signature; the envelope itself when a good one is there already."""
    if not isinstance(signer, Signer):
        return envelope if signer.holds(envelope) else add(envelope, signer)
    key = load_public(signer.public_key.keyval["public"].encode(), "the signer's key")
    for each in envelope.signatures:
        if each.keyid == key.fingerprint and key.verifies(each.content, envelope.message):
            return envelope
    return add(envelope, signer)


def sign(signer: Signer, message: bytes) -> bytes:
    """Return the signature of `message`; HostError with what a token or a key service said when it did not sign."""
    try:
        return bytes.fromhex(signer.sign(message).signature)
    except LodeError:
        raise
    except Exception as error:  # each library behind a signer has errors of its own
        kind = type(signer).__name__.removesuffix("Signer")
        raise HostError(f"the {kind} signer did not sign: {type(error).__name__}: {error}") from error


def dump(envelope: Envelope) -> bytes:
    """Return the envelope's one byte form."""
    return digest.canonical(document(envelope)) + b"\n"


def load(content: bytes, file: str) -> Envelope:
    """Return the envelope that `dump` wrote; VerificationError, naming `file`, for any other bytes."""
    envelope = read(strict.document(content, WHAT, file), file)
    if dump(envelope) != content:
        strict.refuse(f"not {WHAT} in the form that Lode writes", file)
    return envelope


def document(envelope: Envelope) -> dict[str, Any]:
    """Return the envelope as JSON data."""
    return {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": envelope.payload_type,
        "signatures": [_written(each) for each in envelope.signatures],
    }


def read(found: Any, file: str) -> Envelope:
    """Return the envelope in JSON data, whoever wrote it; VerificationError unless it is one with a signature."""
    if not isinstance(found, dict):
        strict.refuse(f"not {WHAT}", file)
    strict.fields(found, {"payload": str, "payloadType": str, "signatures": list}, WHAT, file)
    signatures = tuple(_signature(each, file) for each in found["signatures"])
    if not signatures:
        strict.refuse("the envelope has no signature", file)
    if len({each.keyid for each in signatures}) < len(signatures):
        strict.refuse(f"not {WHAT}: two signatures name one key", file)
    payload = strict.unbase64(found["payload"], WHAT, file)
    return Envelope(payload=payload, payload_type=found["payloadType"], signatures=signatures)


def _written(signature: Signature) -> dict[str, Any]:
    written: dict[str, Any] = {"keyid": signature.keyid, "sig": base64.b64encode(signature.content).decode()}
    if signature.material is None:
        return written
    return {**written, "material": signature.material, "digest": _sum(signature.material)}


def _sum(material: Mapping[str, Any]) -> Digest:
    """Return the sum of a signature's material: a time stamp has bytes that nobody signs, where accidents hide."""
    return digest.of_bytes(digest.canonical(material))


def _signature(found: Any, file: str) -> Signature:
    if not isinstance(found, dict):
        strict.refuse(f"not {WHAT}: a signature is no JSON object", file)
    named = {"keyid": "", **found}
    kinds = {"keyid": str, "sig": str} | ({"material": dict, "digest": str} if "material" in found else {})
    strict.fields(named, kinds, f"a signature of {WHAT}", file)
    if "material" in found and named["digest"] != _sum(named["material"]):
        strict.refuse("what proves a signature is not what was written", file)
    content = strict.unbase64(named["sig"], WHAT, file)
    return Signature(keyid=named["keyid"], content=content, material=named.get("material"))
