"""Keys are read and written as cosign does; what is none is refused."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from tests.signing.factory import private, public

from lode.errors import HostError, VerificationError
from lode.signing import keys

SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def file() -> bytes:
    return keys.dump_private(private("one"), b"pw")


def test_private_key_opens_with_its_password(file: bytes) -> None:
    assert keys.public_of(keys.load_private(file, b"pw", "k")) == public("one")
    assert keys.public_of(keys.read_foreign(file, b"pw", "k")) == public("one")


def test_file_has_the_form_that_cosign_reads(file: bytes) -> None:
    lines = file.decode().splitlines()
    assert (lines[0], lines[-1]) == (
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----", "-----END ENCRYPTED SIGSTORE PRIVATE KEY-----",
    )  # fmt: skip
    document = json.loads(base64.b64decode("".join(lines[1:-1])))
    assert document["kdf"]["params"] == {"N": 65536, "r": 8, "p": 1}
    assert (document["kdf"]["name"], document["cipher"]["name"]) == ("scrypt", "nacl/secretbox")
    assert b"PRIVATE" not in base64.b64decode(document["ciphertext"])


def test_wrong_password_is_told(file: bytes) -> None:
    with pytest.raises(HostError) as caught:
        keys.load_private(file, b"other", "k.key")
    assert str(caught.value) == (
        "k.key: the key does not open with this password\n  hint: give its password in LODE_KEY_PASSWORD, or when asked"
    )


@pytest.mark.parametrize("content", [b"", b"x", b"-----BEGIN PRIVATE KEY-----\n", b"\xff", b"-" * 9])
def test_what_is_no_key_is_refused(content: bytes) -> None:
    with pytest.raises(HostError):
        keys.load_private(content, b"pw", "k.key")
    with pytest.raises(HostError):
        keys.read_foreign(content, None, "k.key")
    with pytest.raises(VerificationError):
        keys.load_public(content, "k.pub")


def test_costs_that_would_fill_the_memory_are_refused(file: bytes) -> None:
    document = json.loads(base64.b64decode("".join(file.decode().splitlines()[1:-1])))
    document["kdf"]["params"]["N"] = 1 << 30
    body = base64.b64encode(json.dumps(document).encode()).decode()
    label = "ENCRYPTED SIGSTORE PRIVATE KEY"
    with pytest.raises(HostError, match="costs without reason"):
        keys.load_private(f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode(), b"pw", "k")


@pytest.mark.parametrize("password", [b"", b"secret"])
def test_pkcs8_is_read_back(password: bytes) -> None:
    content = keys.dump_pkcs8(private("one"), password)
    assert (b"ENCRYPTED" in content) is bool(password)
    assert keys.public_of(keys.read_foreign(content, password or None, "k")) == public("one")


def test_private_key_of_another_kind_is_refused() -> None:
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(HostError, match=r"not of ECDSA P-256"):
        keys.read_foreign(other, None, "k")


def test_ed25519_key_verifies() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    public_key = keys.load_public(key.public_key().public_bytes(PEM, SPKI), "k.pub")
    assert public_key.verifies(key.sign(b"text"), b"text")
    assert not public_key.verifies(key.sign(b"text"), b"other")
    assert not public_key.verifies(b"", b"text")


def test_public_key_of_rsa_is_refused() -> None:
    content = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key().public_bytes(PEM, SPKI)
    with pytest.raises(VerificationError) as caught:
        keys.load_public(content, "k.pub")
    assert str(caught.value) == (
        "k.pub: this is not a public key that Lode reads\n"
        "  hint: a PEM block that begins with -----BEGIN PUBLIC KEY-----, of ECDSA P-256, P-384 or Ed25519"
    )


def test_private_key_in_place_of_a_public_one_is_named(file: bytes) -> None:
    with pytest.raises(VerificationError, match="this is a private key, which nobody else should see"):
        keys.load_public(file, "k.pub")
