"""The manifest `.cvmfspublished`: which root catalog is the present one, signed with the repository's signing key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from lode.errors import VerificationError
from lode.publishing.cvmfs import objects
from lode.publishing.cvmfs.keys import SigningKey, verify

KEY = ".cvmfspublished"
_ROOT_PATH = hashlib.md5(b"", usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a client learns first. Hashes are those of stored objects."""

    name: str  # of the repository
    root: str  # catalog
    root_bytes: int  # of the root catalog, uncompressed
    revision: int
    time: int  # of publication, seconds since 1970
    ttl_s: int
    certificate: str
    history: str
    metainfo: str


def dump(manifest: Manifest) -> bytes:
    """Return the fields in the order of the reference, without the signature."""
    fields = (
        f"C{manifest.root}",
        f"B{manifest.root_bytes}",
        f"R{_ROOT_PATH}",
        f"D{manifest.ttl_s}",
        f"S{manifest.revision}",
        "Gyes",
        "Ano",
        f"N{manifest.name}",
        f"X{manifest.certificate}",
        f"H{manifest.history}",
        f"T{manifest.time}",
        f"M{manifest.metainfo}",
    )
    return "".join(f"{field}\n" for field in fields).encode("ascii")


def sign(manifest: Manifest, key: SigningKey) -> bytes:
    """Return the bytes of `.cvmfspublished`."""
    body = dump(manifest)
    hashed = objects.name_of(body).encode("ascii")
    return body + b"--\n" + hashed + b"\n" + key.sign(hashed)


def load(content: bytes) -> Manifest:
    """Return the manifest in `content`, its signature unchecked; VerificationError when it cannot be one."""
    body, _, _ = split(content, KEY)
    fields = {line[:1]: line[1:] for line in body.decode("latin-1").splitlines()}
    try:
        manifest = Manifest(
            name=fields["N"],
            root=fields["C"],
            root_bytes=int(fields["B"]),
            revision=int(fields["S"]),
            time=int(fields["T"]),
            ttl_s=int(fields["D"]),
            certificate=fields["X"],
            history=fields["H"],
            metainfo=fields["M"],
        )
        for name in (manifest.root, manifest.certificate, manifest.history, manifest.metainfo):
            if not objects.is_hash(name):
                raise ValueError(f"{name!r} is not a SHA-1")
    except KeyError as error:
        raise VerificationError(
            f"the manifest lacks the field {error.args[0]}", hint="another publisher may have written it"
        ) from error
    except ValueError as error:
        raise VerificationError(f"the manifest is damaged: {error}") from error
    return manifest


def check(content: bytes, certificate: x509.Certificate) -> None:
    """Raise VerificationError unless the manifest in `content` is whole and signed with the certificate's key."""
    body, hashed, signature = split(content, KEY)
    if objects.name_of(body) != hashed.decode("latin-1"):
        raise VerificationError("the manifest is damaged: its hash line is not that of its fields")
    try:
        verify(certificate, hashed, signature)
    except InvalidSignature:
        raise VerificationError("the manifest is not signed by the certificate that it names") from None


def split(content: bytes, what: str) -> tuple[bytes, bytes, bytes]:
    """Return body, hash line and signature of a signed file; VerificationError when it is not in that form."""
    body, mark, rest = content.partition(b"\n--\n")
    hashed, end, signature = rest.partition(b"\n")
    if not (mark and end and signature):
        raise VerificationError(f"{what} is cut off or not signed")
    return body + b"\n", hashed, signature
