"""The two keys of a repository: the master key, which signs who may sign, and the signing key with its certificate.

The master key is needed to renew the whitelist only, and may be kept on another machine. Private keys are PEM files of
mode 0600 in a folder of mode 0700, encrypted when a passphrase is given.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from lode import tree
from lode.errors import HostError, PublicationError, VerificationError

_BITS = 2048  # what all clients read; the format's signatures are of SHA-1
_YEARS = 30  # clients ignore a certificate's dates: the whitelist decides


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFiles:
    """Where the keys of one repository lie, under the names that CernVM-FS gives them."""

    folder: Path
    name: str

    @property
    def master(self) -> Path:
        """Return the file of the private master key."""
        return self.folder / f"{self.name}.masterkey"

    @property
    def public(self) -> Path:
        """Return the file of the public master key: what clients are given."""
        return self.folder / f"{self.name}.pub"

    @property
    def signing(self) -> Path:
        """Return the file of the private signing key."""
        return self.folder / f"{self.name}.key"

    @property
    def certificate(self) -> Path:
        """Return the file of the signing key's certificate."""
        return self.folder / f"{self.name}.crt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key and the certificate that goes with it, as PEM."""

    key: rsa.RSAPrivateKey
    certificate: bytes

    def sign(self, text: bytes) -> bytes:
        """Return the signature of `text`: PKCS #1 v1.5 with SHA-1, the only one that clients take."""
        return self.key.sign(text, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - the format's


def generate(files: KeyFiles, *, now: datetime.datetime, passphrase: bytes | None = None) -> None:
    """Make both keys and write them, the public one last; PublicationError when it is there already.

    Without it no client can know the others: they are what an interrupted call left, and are made anew.
    """
    if files.public.exists():
        raise PublicationError(
            f"{files.public} exists", hint="a repository's keys are made once: its clients know the public one"
        )
    files.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files.folder.chmod(0o700)
    master, signing = (rsa.generate_private_key(public_exponent=65537, key_size=_BITS) for _ in range(2))
    tree.replace(files.signing, _private(signing, passphrase), mode=0o600)
    tree.replace(files.certificate, _certificate(signing, files.name, now))
    tree.replace(files.master, _private(master, passphrase), mode=0o600)
    tree.replace(files.public, public_pem(master.public_key()))


def rotate(files: KeyFiles, *, now: datetime.datetime, passphrase: bytes | None = None) -> None:
    """Make a new signing key and its certificate in the place of those there, which are kept as `….old`.

    The whitelist must name it before it can sign: `resign`. A kill between the two files is told by `load_signing`, and
    another call mends it. HostError when there is no key yet.
    """
    for file in (files.signing, files.certificate):
        tree.replace(file.with_name(f"{file.name}.old"), _read(file), mode=0o600)
    signing = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    tree.replace(files.signing, _private(signing, passphrase), mode=0o600)
    tree.replace(files.certificate, _certificate(signing, files.name, now))


def load_signing(files: KeyFiles, passphrase: bytes | None) -> SigningKey:
    """Return the signing key; HostError when it is not here, cannot be opened, or is not that of its certificate."""
    key = load_private(files.signing, passphrase)
    certificate = _read(files.certificate)
    if load_certificate(certificate).public_key() != key.public_key():
        raise HostError(
            f"{files.certificate} is not the certificate of {files.signing}",
            hint=f"`lode cvmfs rotate {files.name}` makes both anew",
        )
    return SigningKey(key=key, certificate=certificate)


def load_private(path: Path, passphrase: bytes | None) -> rsa.RSAPrivateKey:
    """Return the private key in the file; HostError when it is not there, is no RSA key, or the passphrase is wrong."""
    content = _read(path)
    encrypted = b"ENCRYPTED" in content
    try:
        key = serialization.load_pem_private_key(content, passphrase if encrypted else None)
    except (ValueError, TypeError) as error:
        hint = "give its passphrase in LODE_CVMFS_PASSPHRASE" if encrypted else None
        raise HostError(f"the key {path} cannot be opened", hint=hint) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise HostError(f"{path} is not an RSA key")
    return key


def load_public(content: bytes, file: str) -> rsa.RSAPublicKey:
    """Return the public key in `content`; VerificationError when it is none of RSA."""
    try:
        key = serialization.load_pem_public_key(content)
    except ValueError as error:
        raise VerificationError(f"{file} is not a public key") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise VerificationError(f"{file} is not an RSA key")
    return key


def read_public(files: KeyFiles) -> rsa.RSAPublicKey:
    """Return the public master key of the folder; HostError when it is not there."""
    return load_public(_read(files.public), str(files.public))


def public_pem(key: rsa.RSAPublicKey) -> bytes:
    """Return the key as clients read it."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_certificate(content: bytes) -> x509.Certificate:
    """Return the certificate in PEM; VerificationError when it is none."""
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise VerificationError("the certificate cannot be read") from error


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-1 of the certificate's DER form as whitelists write it: `AB:CD:…`."""
    digest = load_certificate(certificate).fingerprint(hashes.SHA1())  # noqa: S303 - the format's
    return digest.hex(":").upper()


def verify(certificate: x509.Certificate, text: bytes, signature: bytes) -> None:
    """Raise InvalidSignature unless `signature` is that of `text` by the certificate's key."""
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise VerificationError("the certificate's key is not an RSA key")
    key.verify(signature, text, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - the format's


def _private(key: rsa.RSAPrivateKey, passphrase: bytes | None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _certificate(key: rsa.RSAPrivateKey, name: str, now: datetime.datetime) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} CernVM-FS release managers"[:64])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise HostError(
            f"there is no key {path}", hint="`lode cvmfs init` makes keys; --keys names their folder"
        ) from None
