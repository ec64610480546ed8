"""Signatures and attestations of images in the forms that cosign, skopeo and podman read.

Two generations are in use, and neither reads all of the other's: cosign 2 and the containers policy look for a
manifest at the tag `sha256-<hex>.sig` (`.att` for attestations), cosign 3 for a sigstore bundle that refers to the
image (OCI 1.1). Sources: sigstore/cosign specs/SIGNATURE_SPEC.md and ATTESTATION_SPEC.md, sigstore/protobuf-specs
sigstore_bundle.proto (v0.3); both were compared with what cosign 2.5 and 3.1 write.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from securesystemslib.signer import Signer

from lode import digest as digests
from lode.digest import Digest
from lode.errors import UsageError, VerificationError
from lode.signing import envelope as envelopes
from lode.signing import identity as identities
from lode.signing import keyless, strict
from lode.signing.envelope import Envelope, Signature
from lode.signing.keys import P256
from lode.signing.statement import Statement, Subject

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = keyless.BUNDLE
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"

SIGNED_IMAGE = "https://sigstore.dev/cosign/sign/v1"  # the predicate type of cosign 3's image signature
SIGNATURE = "dev.cosignproject.cosign/signature"  # the annotation that holds a signature in base64
SIG, ATT = ".sig", ".att"  # what ends the tags

_EPOCH = "0001-01-01T00:00:00Z"  # what cosign writes for a time that does not count
_TYPE = "cosign container image signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One signature or attestation in a manifest of cosign 2: a blob, and what the manifest says of it."""

    content: bytes
    media_type: str
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What is signed, as a manifest refers to it."""

    media_type: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OciArtifact:
    """A manifest to be put beside an image, after its blobs; at `tag`, or where its subject leads to it."""

    manifest: bytes
    blobs: tuple[tuple[str, bytes], ...]  # media type and content
    tag: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleSignature:
    """A signature of cosign 2: of which image under which name, and the bytes that were signed."""

    image: Digest
    reference: str
    payload: bytes
    signature: bytes


def tag(image: Digest, suffix: str) -> str:
    """Return the tag under which cosign 2 looks for signatures (`.sig`) or attestations (`.att`) of an image."""
    return f"sha256-{image}{suffix}"


def payload(image: Digest, reference: str) -> bytes:
    """Return what cosign 2 signs: that `image` is the one called `reference` (containers/image, simple signing)."""
    identity = {"docker-reference": reference}
    critical = {"identity": identity, "image": {"docker-manifest-digest": f"sha256:{image}"}, "type": _TYPE}
    return digests.canonical({"critical": critical, "optional": None})


def signature_layer(image: Digest, reference: str, signer: Signer) -> Layer:
    """Return an image's signature for cosign 2, skopeo and podman; HostError when the signer does not sign."""
    _refuse_others(signer)
    content = payload(image, reference)
    return Layer(
        content=content,
        media_type=SIMPLE_SIGNING,
        annotations={SIGNATURE: _text(envelopes.sign(signer, content))},
    )


def attestation_layer(statement: Statement, signer: Signer) -> Layer:
    """Return an attestation for cosign 2."""
    _refuse_others(signer)
    sealed = envelopes.seal(statement, signer)
    unnamed = [{"keyid": "", "sig": each["sig"]} for each in envelopes.document(sealed)["signatures"]]
    return Layer(
        content=digests.canonical({**envelopes.document(sealed), "signatures": unnamed}),
        media_type=DSSE,
        annotations={SIGNATURE: "", "predicateType": statement.predicate_type},
    )


def legacy(image: Digest, layers: Sequence[Layer], suffix: str) -> OciArtifact:
    """Return the one manifest of cosign 2 that holds all signatures, or all attestations, of an image."""
    config = digests.canonical(
        {
            "architecture": "",
            "config": {},
            "created": _EPOCH,
            "history": [{"created": _EPOCH} for _ in layers],
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digests.of_bytes(each.content)}" for each in layers]},
        }
    )
    manifest = digests.canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, config),
            "layers": [
                {**_descriptor(each.media_type, each.content), "annotations": dict(each.annotations)} for each in layers
            ],
        }
    )
    blobs = ((CONFIG, config), *((each.media_type, each.content) for each in layers))
    return OciArtifact(manifest=manifest, blobs=blobs, tag=tag(image, suffix))


def image_statement(image: Digest) -> Statement:
    """Return the statement that cosign 3 makes when it signs an image."""
    return Statement(subjects=(Subject(name="", digest={"sha256": image}),), predicate_type=SIGNED_IMAGE, predicate={})


def bundle(statement: Statement, signer: Signer) -> bytes:
    """Return a sigstore bundle that holds the statement, signed; its hint is the key's fingerprint."""
    _refuse_others(signer)
    sealed = envelopes.seal(statement, signer)
    document = envelopes.document(sealed)
    document["signatures"] = [{"sig": each["sig"]} for each in document["signatures"]]
    return digests.canonical({**_material(signer), "dsseEnvelope": document})


def blob_bundle(content_sha256: Digest, signature: bytes, signer: Signer) -> bytes:
    """Return a sigstore bundle with the `signature` of a file, for `cosign verify-blob --bundle`."""
    message = {"algorithm": "SHA2_256", "digest": _text(bytes.fromhex(content_sha256))}
    return digests.canonical(
        {**_material(signer), "messageSignature": {"messageDigest": message, "signature": _text(signature)}}
    )


def referrer(content: bytes, predicate_type: str, subject: Described, created: str) -> OciArtifact:
    """Return the manifest by which a bundle refers to an image; `created` is RFC 3339."""
    manifest = digests.canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": BUNDLE,
            "config": _descriptor(EMPTY, b"{}"),
            "layers": [_descriptor(BUNDLE, content)],
            "subject": {
                "mediaType": subject.media_type,
                "digest": f"sha256:{subject.digest}",
                "size": subject.size,
            },
            "annotations": {
                "dev.sigstore.bundle.content": "dsse-envelope",
                "dev.sigstore.bundle.predicateType": predicate_type,
                "org.opencontainers.image.created": created,
            },
        }
    )
    return OciArtifact(manifest=manifest, blobs=((EMPTY, b"{}"), (BUNDLE, content)), tag=None)


def read_signature(content: bytes, annotations: Mapping[str, str], file: str) -> SimpleSignature:
    """Return the signature of cosign 2 in a layer; VerificationError unless it is one. It is not checked here."""
    what = "a signature of an image"
    document = strict.document(content, what, file)
    critical = document.get("critical")
    if not isinstance(critical, dict) or critical.get("type") != _TYPE:
        strict.refuse(f"not {what}: its type is not {_TYPE!r}", file)
    identity, image = critical.get("identity"), critical.get("image")
    named = image.get("docker-manifest-digest") if isinstance(image, dict) else None
    reference = identity.get("docker-reference") if isinstance(identity, dict) else None
    if not isinstance(named, str) or not named.startswith("sha256:") or not isinstance(reference, str):
        strict.refuse(f"not {what}: it names no image", file)
    try:
        found = Digest(named.removeprefix("sha256:"))
    except ValueError as error:
        strict.refuse(f"not {what}: {error}", file)
    signature = strict.unbase64(annotations.get(SIGNATURE, ""), what, file)
    if not signature:
        strict.refuse("the signature of the image is missing", file)
    return SimpleSignature(image=found, reference=reference, payload=content, signature=signature)


def read_bundle(content: bytes, file: str) -> Envelope:
    """Return the envelope in a sigstore bundle, its signature named by the bundle's hint; VerificationError if none.

    One that was made with a certificate is named by whom that names, and keeps what proves it. What a bundle of a key
    may hold of a transparency log is not looked at: a public key is what it is checked with.
    """
    what = "a sigstore bundle"
    document = strict.document(content, what, file)
    if document.get("mediaType") != BUNDLE:
        strict.refuse(f"not {what} that Lode reads: its media type is {document.get('mediaType')!r}", file)
    material = document.get("verificationMaterial")
    found = document.get("dsseEnvelope")
    if found is None:
        strict.refuse(f"{what} without an envelope", file)
    envelope = envelopes.read(found, file)
    if len(envelope.signatures) != 1:
        strict.refuse(f"not {what}: it has {len(envelope.signatures)} signatures", file)
    content = envelope.signatures[0].content
    if isinstance(material, dict) and "certificate" in material:
        named = Signature(keyid=_identity(material, file), content=content, material=material)
    else:
        named = Signature(keyid=_hint(material, file), content=content)
    return Envelope(payload=envelope.payload, payload_type=envelope.payload_type, signatures=(named,))


def read_blob_bundle(content: bytes, file: str) -> tuple[Digest, Signature]:
    """Return digest and signature of a file from the bundle of `cosign sign-blob`; VerificationError unless it is."""
    what = "a sigstore bundle of a file"
    document = strict.document(content, what, file)
    found = document.get("messageSignature")
    if document.get("mediaType") != BUNDLE or not isinstance(found, dict):
        strict.refuse(f"not {what}", file)
    message = found.get("messageDigest")
    if not isinstance(message, dict) or message.get("algorithm") != "SHA2_256":
        strict.refuse(f"not {what}: it has no SHA-256", file)
    sha256 = strict.unbase64(str(message.get("digest")), what, file)
    if len(sha256) != hashlib.sha256().digest_size:
        strict.refuse(f"not {what}: it has no SHA-256", file)
    signature = strict.unbase64(str(found.get("signature")), what, file)
    return Digest(sha256.hex()), Signature(keyid=_hint(document.get("verificationMaterial"), file), content=signature)


def _identity(material: dict[str, Any], file: str) -> str:
    """Return the fingerprint of whom a certificate names, "" for one that is not of Sigstore's kind: a stranger's."""
    try:
        return identities.named(material, file).fingerprint
    except VerificationError:
        return ""


def _hint(material: Any, file: str) -> str:
    """Return the fingerprint that a bundle's hint spells, "" when it spells none: any key may have made it then."""
    key = material.get("publicKey") if isinstance(material, dict) else None
    if not isinstance(key, dict):
        return ""
    hint = strict.unbase64(str(key.get("hint", "")), "a sigstore bundle", file)
    return hint.hex() if len(hint) == hashlib.sha256().digest_size else ""


def _material(signer: Signer) -> dict[str, Any]:
    hint = _text(bytes.fromhex(signer.public_key.keyid))
    return {"mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": hint}}}


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(content), "digest": f"sha256:{digests.of_bytes(content)}"}


def _refuse_others(signer: Signer) -> None:
    if signer.public_key.scheme != P256:
        hint = "sign images with a key of ECDSA P-256; every program that checks images reads those"
        raise UsageError(f"an image cannot be signed with a key of {signer.public_key.scheme}", hint=hint)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
