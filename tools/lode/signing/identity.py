"""Whom a certificate of Sigstore's names: the identity that an OpenID Connect issuer vouched for, and its repository.

Source: sigstore/fulcio docs/oid-info.md and docs/certificate-specification.md. What is read here is unchecked;
`keyless` checks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from lode import digest
from lode.digest import Digest
from lode.signing import strict

_FULCIO = "1.3.6.1.4.1.57264.1."
_ISSUER_V1, _OTHER_NAME, _ISSUER, _REPOSITORY = (x509.ObjectIdentifier(f"{_FULCIO}{n}") for n in (1, 7, 8, 12))
_UTF8_STRING = 0x0C  # the tag in DER
_WHAT = "a certificate of Sigstore's"
_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody, or some pipeline, as an issuer of tokens calls it."""

    identity: str  # a URL or an address
    issuer: str
    repository: str = ""  # whose pipeline it is, a URL; "" where nothing is said of it

    @property
    def fingerprint(self) -> Digest:
        """Return what stands for it where keys have a fingerprint."""
        document = {
            "kind": "lode identity",
            "format": 1,
            "identity": self.identity,
            "issuer": self.issuer,
            "repository": self.repository,
        }
        return digest.of_bytes(digest.canonical(document))

    def __str__(self) -> str:
        of = f" of {self.repository}" if self.repository else ""
        return f"{self.identity}{of} ({self.issuer})"


def named(material: Mapping[str, Any], file: str) -> Identity:
    """Return whom the certificate in a bundle's verification material names; VerificationError unless it names one."""
    certificate = certificate_of(material, file)
    try:
        names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        texts = {each.oid: each.value.value for each in certificate.extensions
                 if isinstance(each.value, x509.UnrecognizedExtension)}  # fmt: skip
        if len(names) != 1:
            raise ValueError("it names nobody, or several")
        issuers = {texts[_ISSUER_V1].decode()} if _ISSUER_V1 in texts else set()
        if _ISSUER in texts:
            issuers.add(_utf8(texts[_ISSUER]))
        if len(issuers) != 1:
            raise ValueError("it names no issuer, or several")
        repository = _utf8(texts[_REPOSITORY]) if _REPOSITORY in texts else ""
        return Identity(identity=_name(names[0]), issuer=issuers.pop(), repository=repository)
    except _UNREADABLE as error:
        strict.refuse(f"not {_WHAT}: {str(error).splitlines()[0]}", file)


def certificate_of(material: Mapping[str, Any], file: str) -> x509.Certificate:
    """Return the certificate in a bundle's verification material; VerificationError unless there is one."""
    found = material.get("certificate")
    raw = found.get("rawBytes") if isinstance(found, dict) else None
    if not isinstance(raw, str):
        strict.refuse("a signature by an identity has no certificate", file)
    try:
        return x509.load_der_x509_certificate(strict.unbase64(raw, _WHAT, file))
    except _UNREADABLE as error:
        strict.refuse(f"not {_WHAT}: {str(error).splitlines()[0]}", file)


def _name(name: x509.GeneralName) -> str:
    if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier):
        return name.value
    if isinstance(name, x509.OtherName) and name.type_id == _OTHER_NAME:
        return _utf8(name.value)
    raise ValueError("it names something else than a URL or an address")


def _utf8(der: bytes) -> str:
    """Return the text of a UTF8String in DER; ValueError unless it is one."""
    if len(der) < 2 or der[0] != _UTF8_STRING:
        raise ValueError("an extension holds no text")
    more = der[1] & 0x7F if der[1] & 0x80 else 0
    length = int.from_bytes(der[2 : 2 + more]) if more else der[1]
    if len(der) != 2 + more + length:
        raise ValueError("an extension's text was cut")
    return der[2 + more :].decode()
