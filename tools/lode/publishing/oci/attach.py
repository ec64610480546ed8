"""Signatures and attestations beside an image, in any store, for both generations of cosign.

All that is attached refers to the image's digest and changes nothing in it. What others attached stays; what was
attached before by the same key is not attached again. Each manifest is put after its blobs, so a kill leaves the
image with what was attached so far.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from securesystemslib.signer import Signer

from lode.digest import Digest
from lode.errors import VerificationError
from lode.publishing.oci import store as stores
from lode.publishing.oci.copy import copy_blob
from lode.publishing.oci.store import Descriptor, Manifest, OciStore, oci
from lode.signing import certified, cosign, keyless
from lode.signing import envelope as envelopes
from lode.signing.certify import IdentitySigner
from lode.signing.cosign import Described, Layer, OciArtifact, SimpleSignature
from lode.signing.envelope import Envelope
from lode.signing.keys import PublicKey, load_public
from lode.signing.statement import Statement, dump


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is attached to one manifest: signatures and envelopes with the place of each, none of them checked."""

    signatures: tuple[tuple[str, SimpleSignature], ...]
    envelopes: tuple[tuple[str, Envelope], ...]


ImageSigner = Signer | IdentitySigner


def sign(store: OciStore, image: Manifest, *, reference: str, signer: ImageSigner, created: str) -> int:
    """Attach the signer's signature of `image` in both forms; return how many manifests were written.

    `reference` is the image's name (`registry/repository:tag`), which skopeo and podman compare with the one they pull.
    """
    there = find(store, image.digest)
    wanted = cosign.payload(image.digest, reference)
    if isinstance(signer, IdentitySigner):
        return _sign_by_identity(store, image, wanted, there, signer, created)
    key = _public(signer)
    written = 0
    if not any(each.payload == wanted and key.verifies(each.signature, each.payload) for _, each in there.signatures):
        layer = cosign.signature_layer(image.digest, reference, signer)
        _add(store, image.digest, layer, cosign.SIG)
        written += 1
    statement = cosign.image_statement(image.digest)
    return written + _refer(store, image, statement, there, key, signer, created)


def _sign_by_identity(
    store: OciStore, image: Manifest, payload: bytes, there: Found, signer: IdentitySigner, created: str
) -> int:
    """Attach the bundle of the signature and, where the log makes it possible, cosign 2's form before it."""
    statement = cosign.image_statement(image.digest)
    if _held(there, statement, signer):
        return 0
    sealed = envelopes.seal(statement, signer)
    written = 0
    if certified.promises(sealed.signatures[0].material or {}):
        signature, material = signer.sign_bytes(payload)
        _add(store, image.digest, certified.layer(payload, signature, material), cosign.SIG)
        written += 1
    _put_bundle(store, image, keyless.bundle(sealed, sealed.signatures[0]), statement, created)
    return written + 1


def attest(store: OciStore, image: Manifest, statement: Statement, *, signer: ImageSigner, created: str) -> int:
    """Attach a statement about `image`, of a key in both forms; return how many manifests were written."""
    there = find(store, image.digest)
    if isinstance(signer, IdentitySigner):
        if _held(there, statement, signer):
            return 0
        sealed = envelopes.seal(statement, signer)
        _put_bundle(store, image, keyless.bundle(sealed, sealed.signatures[0]), statement, created)
        return 1
    key = _public(signer)
    written = _refer(store, image, statement, there, key, signer, created)
    legacy = [each for place, each in there.envelopes if place.endswith(cosign.ATT)]
    if not any(_says(each, statement, key) for each in legacy):
        _add(store, image.digest, cosign.attestation_layer(statement, signer), cosign.ATT)
        written += 1
    return written


def find(store: OciStore, image: Digest) -> Found:
    """Return all that is attached to the image in a form of cosign's, every byte of it hashed.

    VerificationError for something that is not what its digest, or its media type, says. Other referrers are left out.
    """
    signatures = tuple(
        (place, cosign.read_signature(layer.content, layer.annotations, place))
        for place, layer in _layers(store, image, cosign.SIG, cosign.SIMPLE_SIGNING)
    )
    attested = [
        (place, envelopes.read(stores.parse(layer.content, place), place))
        for place, layer in _layers(store, image, cosign.ATT, cosign.DSSE)
    ]
    return Found(signatures=signatures, envelopes=(*attested, *_bundles(store, image)))


def carry(there: OciStore, here: OciStore, image: Digest) -> int:
    """Copy all that is attached to an image from one store to another; return how many manifests were written.

    What the other store has attached already stays; VerificationError for anything that is not what its digest says.
    """
    written = 0
    for suffix, kind in ((cosign.SIG, cosign.SIMPLE_SIGNING), (cosign.ATT, cosign.DSSE)):
        ours = [layer for _, layer in _layers(there, image, suffix, kind)]
        theirs = [layer for _, layer in _layers(here, image, suffix, kind)]
        if any(layer not in theirs for layer in ours):
            _put(here, cosign.legacy(image, [*theirs, *(layer for layer in ours if layer not in theirs)], suffix))
            written += 1
    held = {one.digest for one in here.referrers(image)}
    for one in there.referrers(image):
        made = there.get_manifest(oci(one.digest))
        if made is None:
            raise VerificationError(f"the referrer {oci(one.digest)} of {oci(image)} is not there")
        if one.digest not in held:
            for blob in made.blobs():
                copy_blob(there, here, blob)
            here.put_manifest(made)
            written += 1
    return written


def _bundles(store: OciStore, image: Digest) -> Iterator[tuple[str, Envelope]]:
    for one in store.referrers(image):
        made = store.get_manifest(oci(one.digest))
        place = f"the referrer {oci(one.digest)}"
        if made is None:
            raise VerificationError(f"{place} of {oci(image)} is not there")
        layers = _listed(made, place)
        if cosign.BUNDLE not in (made.document.get("artifactType"), *(layer.media_type for layer in layers)):
            continue
        if made.subject != image:
            raise VerificationError(f"{place} is of another image than {oci(image)}")
        if len(layers) != 1 or layers[0].media_type != cosign.BUNDLE:
            raise VerificationError(f"{place} is not one sigstore bundle")
        contents = {blob.digest: stores.get_bytes(store, blob) for blob in made.blobs()}
        yield place, cosign.read_bundle(contents[layers[0].digest], place)


def _layers(store: OciStore, image: Digest, suffix: str, media_type: str) -> Iterator[tuple[str, Layer]]:
    place = cosign.tag(image, suffix)
    made = store.get_manifest(place)
    if made is None:
        return
    config = made.document.get("config")
    if config is not None:
        stores.get_bytes(store, stores.descriptor(config, place))
    for blob in _listed(made, place):
        if blob.media_type != media_type:
            raise VerificationError(f"{place} holds {blob.media_type}, not {media_type}")
        content = stores.get_bytes(store, blob)
        yield place, Layer(content=content, media_type=media_type, annotations=blob.annotations)


def _listed(made: Manifest, place: str) -> list[Descriptor]:
    listed = made.document.get("layers")
    if not isinstance(listed, list):
        raise VerificationError(f"{place} has no layers")
    return [stores.descriptor(one, place) for one in listed]


def _add(store: OciStore, image: Digest, layer: Layer, suffix: str) -> None:
    """Put the manifest of cosign 2 again, with one layer more."""
    kind = cosign.SIMPLE_SIGNING if suffix == cosign.SIG else cosign.DSSE
    before = [each for _, each in _layers(store, image, suffix, kind)]
    _put(store, cosign.legacy(image, [*before, layer], suffix))


def _refer(
    store: OciStore, image: Manifest, statement: Statement, there: Found, key: PublicKey, signer: Signer, created: str
) -> int:
    """Put a bundle with the statement unless one by the key is there; return how many manifests were written."""
    if any(_says(each, statement, key) for place, each in there.envelopes if not place.endswith(cosign.ATT)):
        return 0
    _put_bundle(store, image, cosign.bundle(statement, signer), statement, created)
    return 1


def _put_bundle(store: OciStore, image: Manifest, content: bytes, statement: Statement, created: str) -> None:
    subject = Described(media_type=image.media_type, digest=image.digest, size=len(image.content))
    _put(store, cosign.referrer(content, statement.predicate_type, subject, created))


def _held(there: Found, statement: Statement, signer: IdentitySigner) -> bool:
    """Return whether a bundle by the identity with the statement is there."""
    return any(each.payload == dump(statement) and signer.holds(each) for _, each in there.envelopes)


def _says(envelope: Envelope, statement: Statement, key: PublicKey) -> bool:
    return envelope.payload == dump(statement) and key.verifies(envelope.signatures[0].content, envelope.message)


def _put(store: OciStore, artifact: OciArtifact) -> None:
    for media_type, content in artifact.blobs:
        stores.put_bytes(store, content, media_type)
    store.put_manifest(stores.of_bytes(artifact.manifest, cosign.MANIFEST), artifact.tag)


def _public(signer: Signer) -> PublicKey:
    return load_public(signer.public_key.keyval["public"].encode(), "the signer's key")


def manifests(store: OciStore, reference: str) -> Sequence[Manifest]:
    """Return the image at `reference` and, when it is an index, every image that it lists, each once."""
    made = store.get_manifest(reference)
    if made is None:
        raise VerificationError(f"there is no image {reference}")
    held = [made]
    for one in made.manifests():
        child = store.get_manifest(oci(one.digest))
        if child is None:
            raise VerificationError(f"the index {reference} lists {oci(one.digest)}, which is not there")
        held.append(child)
    return tuple({each.digest: each for each in held}.values())
