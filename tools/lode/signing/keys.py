"""Public keys, and private ones as cosign keeps them: encrypted with a password.

A private key's file is a PEM block whose body is JSON: the PKCS #8 form of an ECDSA P-256 key in NaCl's secretbox,
under a key that scrypt makes of the password (sigstore/cosign, pkg/cosign/keys.go; go-securesystemslib, encrypted).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

import nacl.exceptions
import nacl.secret
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.exceptions import VerificationError as Unverifiable
from securesystemslib.signer import CryptoSigner, Signature, SSlibKey

from lode import digest
from lode.digest import Digest
from lode.errors import HostError, Place, UsageError, VerificationError

P256 = "ecdsa-sha2-nistp256"
SCHEMES = (P256, "ecdsa-sha2-nistp384", "ed25519")

PrivateKey = ec.EllipticCurvePrivateKey

_LABEL = "ENCRYPTED SIGSTORE PRIVATE KEY"
_LABELS = (_LABEL, "ENCRYPTED COSIGN PRIVATE KEY")  # the second one is cosign 1's
_HINT = "give its password in LODE_KEY_PASSWORD, or when asked"
_N, _R, _P = 65536, 8, 1  # the only costs that cosign reads
_N_MOST = 1 << 20
_WIDTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that verifies. Its fingerprint is the SHA-256 of its SubjectPublicKeyInfo in DER, as `openssl` gives it."""

    fingerprint: Digest
    pem: bytes  # SubjectPublicKeyInfo
    scheme: str  # of SCHEMES

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Return whether `signature` is that of `message` by this key."""
        try:
            library_key(self).verify_signature(Signature(self.fingerprint, signature.hex()), message)
        except (UnverifiedSignatureError, Unverifiable):
            return False
        return True


def load_public(content: bytes, file: str) -> PublicKey:
    """Return the public key in PEM; VerificationError unless it is of ECDSA P-256 or P-384, or Ed25519."""
    try:
        return _public(serialization.load_pem_public_key(content))
    except (ValueError, UnsupportedAlgorithm) as error:
        if b"PRIVATE KEY" in content:
            raise VerificationError(
                "this is a private key, which nobody else should see",
                place=Place(file=file),
                hint="give the public one",
            ) from error
        hint = "a PEM block that begins with -----BEGIN PUBLIC KEY-----, of ECDSA P-256, P-384 or Ed25519"
        raise VerificationError(
            "this is not a public key that Lode reads", place=Place(file=file), hint=hint
        ) from error


def library_key(key: PublicKey) -> SSlibKey:
    """Return the key as securesystemslib holds it, its id the fingerprint."""
    return SSlibKey.from_crypto(serialization.load_pem_public_key(key.pem), keyid=key.fingerprint, scheme=key.scheme)


def generate() -> ec.EllipticCurvePrivateKey:
    """Return a new ECDSA P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def public_of(private: ec.EllipticCurvePrivateKey) -> PublicKey:
    """Return the public half."""
    return _public(private.public_key())


def dump_private(private: ec.EllipticCurvePrivateKey, password: bytes) -> bytes:
    """Return the key's file as cosign reads it, encrypted with `password` under a new salt and nonce."""
    salt, nonce = secrets.token_bytes(32), secrets.token_bytes(nacl.secret.SecretBox.NONCE_SIZE)
    plain = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    box = nacl.secret.SecretBox(_derived(password, salt, _N, _R, _P))
    document = {
        "kdf": {"name": "scrypt", "params": {"N": _N, "r": _R, "p": _P}, "salt": _text(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": _text(nonce)},
        "ciphertext": _text(box.encrypt(plain, nonce).ciphertext),
    }
    body = _text(json.dumps(document, separators=(",", ":")).encode())
    lines = [body[at : at + _WIDTH] for at in range(0, len(body), _WIDTH)]
    return "\n".join([f"-----BEGIN {_LABEL}-----", *lines, f"-----END {_LABEL}-----", ""]).encode()


def load_private(content: bytes, password: bytes, file: str) -> ec.EllipticCurvePrivateKey:
    """Return the key in a file of cosign's; HostError, naming `file`, when it is none or the password is wrong."""
    place = Place(file=file)
    try:
        document = json.loads(base64.b64decode(_body(content), validate=True))
        costs = document["kdf"]["params"]
        cost = (int(costs["N"]), int(costs["r"]), int(costs["p"]))
        if document["kdf"]["name"] != "scrypt" or document["cipher"]["name"] != "nacl/secretbox":
            raise ValueError("another cipher")
        if not (1 < cost[0] <= _N_MOST and 0 < cost[1] <= 32 and 0 < cost[2] <= 16):
            raise ValueError("costs without reason")
        salt, nonce, box = (
            base64.b64decode(text, validate=True)
            for text in (document["kdf"]["salt"], document["cipher"]["nonce"], document["ciphertext"])
        )
        opener = nacl.secret.SecretBox(_derived(password, salt, *cost))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(f"not a private key as cosign keeps them: {error}", place=place) from error
    try:
        plain = opener.decrypt(box, nonce)
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise HostError("the key does not open with this password", place=place, hint=_HINT) from error
    return _ecdsa(plain, None, file, pem=False)


def read_foreign(content: bytes, password: bytes | None, file: str) -> ec.EllipticCurvePrivateKey:
    """Return the private key in any PEM file: cosign's form, PKCS #8 or SEC 1; HostError unless it is ECDSA P-256."""
    if any(label.encode() in content for label in _LABELS):
        return load_private(content, password or b"", file)
    return _ecdsa(content, password if b"ENCRYPTED" in content else None, file, pem=True)


def dump_pkcs8(private: ec.EllipticCurvePrivateKey, password: bytes) -> bytes:
    """Return the key in PKCS #8, encrypted with `password` unless that is empty."""
    cipher: Any = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)


def signer(private: ec.EllipticCurvePrivateKey) -> CryptoSigner:
    """Return what signs with the key."""
    return CryptoSigner(private, library_key(public_of(private)))


def check_password(password: bytes) -> None:
    """Raise UsageError when `password` holds what no terminal can give back."""
    if b"\0" in password or b"\n" in password:
        raise UsageError("a password is one line without NUL characters")


def _public(key: Any) -> PublicKey:
    found = SSlibKey.from_crypto(key)
    if found.scheme not in SCHEMES:
        raise ValueError(f"{found.scheme} is not among {', '.join(SCHEMES)}")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return PublicKey(
        fingerprint=digest.of_bytes(key.public_bytes(serialization.Encoding.DER, form)),
        pem=key.public_bytes(serialization.Encoding.PEM, form),
        scheme=found.scheme,
    )


def _ecdsa(content: bytes, password: bytes | None, file: str, *, pem: bool) -> ec.EllipticCurvePrivateKey:
    try:
        load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
        key = load(content, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        hint = _HINT if b"ENCRYPTED" in content else None
        raise HostError("the private key cannot be opened", place=Place(file=file), hint=hint) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        hint = "cosign, skopeo and podman all read ECDSA keys on the curve P-256"
        raise HostError("the private key is not of ECDSA P-256", place=Place(file=file), hint=hint)
    return key


def _body(content: bytes) -> str:
    lines = content.decode("ascii").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    lines = [line.strip() for line in lines]
    for label in _LABELS:
        if len(lines) > 2 and lines[0] == f"-----BEGIN {label}-----" and lines[-1] == f"-----END {label}-----":
            return "".join(lines[1:-1])
    raise ValueError(f"it does not begin with -----BEGIN {_LABEL}-----")


def _derived(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, dklen=32, maxmem=256 * n * r + (1 << 20))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
