"""A private Sigstore instance in memory: an authority with a CT log, logs of Rekor's two generations, a time stamper.

It does what Fulcio, Rekor and a time-stamp authority do, in their forms, so that real verifiers judge what comes of it.
Sources: sigstore/fulcio docs/oid-info.md and docs/certificate-specification.md, RFC 6962 (SCT, Merkle tree), C2SP
tlog-checkpoint, sigstore/rekor (hashedrekord and dsse 0.0.1), sigstore/rekor-tiles (hashedrekord 0.0.2), RFC 3161.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import Any

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FULCIO = "1.3.6.1.4.1.57264.1."
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
YEARS = datetime.timedelta(days=3650)
CERTIFICATE = datetime.timedelta(minutes=10)
PUBLIC_KEY = serialization.PublicFormat.SubjectPublicKeyInfo


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def plain(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def pem(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM)


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, PUBLIC_KEY)


def made(name: str) -> ec.EllipticCurvePrivateKey:
    """Return the private key called `name`, always the same one."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest()) >> 1, ec.SECP256R1())


def signed(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom a token names: what Fulcio writes into a certificate."""

    identity: str = "https://forge.example.org/dance/dance/.ci.yml@refs/heads/main"
    issuer: str = "https://forge.example.org"
    repository: str = "https://forge.example.org/dance/dance"  # "": not said


@dataclass
class Log:
    """A log: leaves in order, Merkle proofs, and checkpoints signed by its key."""

    name: str
    key: ec.EllipticCurvePrivateKey
    generation: int
    url: str
    leaves: list[bytes] = field(default_factory=list)

    @property
    def id(self) -> bytes:
        return hashlib.sha256(spki(self.key)).digest()

    def append(self, body: bytes, now: datetime.datetime, kind: str, version: str) -> dict[str, Any]:
        """Return the entry of `body`, as a bundle holds it."""
        index = len(self.leaves)
        self.leaves.append(hashlib.sha256(b"\0" + body).digest())
        proof = {
            "logIndex": str(index),
            "rootHash": text(_root(self.leaves)),
            "treeSize": str(len(self.leaves)),
            "hashes": [text(each) for each in _path(index, self.leaves)],
            "checkpoint": {"envelope": self.checkpoint()},
        }
        entry = {
            "logIndex": str(index),
            "logId": {"keyId": text(self.id)},
            "kindVersion": {"kind": kind, "version": version},
            "inclusionProof": proof,
            "canonicalizedBody": text(body),
        }
        if self.generation == 1:
            promised = {"body": text(body), "integratedTime": int(now.timestamp()), "logID": self.id.hex(),
                        "logIndex": index}  # fmt: skip
            entry["integratedTime"] = str(promised["integratedTime"])
            entry["inclusionPromise"] = {"signedEntryTimestamp": text(signed(self.key, plain(promised)))}
        return entry

    def checkpoint(self) -> str:
        origin = (
            f"{self.name} - 42" if self.generation == 1 else self.name
        )  # the first generation's has a tree's number
        note = f"{origin}\n{len(self.leaves)}\n{text(_root(self.leaves))}\n"
        signature = text(self.id[:4] + signed(self.key, note.encode()))
        return f"{note}\n\N{EM DASH} {self.name} {signature}\n"

    def described(self) -> dict[str, Any]:
        return {
            "baseUrl": self.url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": text(spki(self.key)),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": "2026-01-01T00:00:00Z"},
            },
            "logId": {"keyId": text(self.id)},
        }


class Instance:
    """Authority, logs and time stamper of one name; two of another name do not trust each other."""

    def __init__(
        self, name: str = "sigstore.example.org", url: str = "http://127.0.0.1:1", generation: int = 2
    ) -> None:
        self.ca_key, self.ct_key, self.tsa_key = (made(f"{name} {part}") for part in ("ca", "ct", "tsa"))
        self.tsa_root_key = made(f"{name} tsa root")
        self.url, self.generation = url, generation
        self.ca = _authority(self.ca_key, f"{name} CA")
        self.tsa_root = _authority(self.tsa_root_key, f"{name} TSA root")
        self.tsa = _stamper(self.tsa_key, self.tsa_root_key, self.tsa_root)
        host = url.partition("://")[2].partition(":")[0]  # the name that cosign expects in checkpoints
        self.log = Log(name=host, key=made(f"{name} rekor {generation}"), generation=generation, url=url)
        self.ct = Log(name=f"{name} ct", key=self.ct_key, generation=1, url=f"{url}/ct")

    def certificate(self, key: ec.EllipticCurvePublicKey, person: Person, now: datetime.datetime) -> x509.Certificate:
        """Return a certificate as Fulcio issues it, with the promise of the CT log inside."""
        name: x509.GeneralName = (
            x509.UniformResourceIdentifier(person.identity)
            if "://" in person.identity
            else x509.RFC822Name(person.identity)
        )
        extensions = [("1", person.issuer.encode()), ("8", core.UTF8String(person.issuer).dump())]
        if person.repository:
            extensions.append(("12", core.UTF8String(person.repository).dump()))
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.ca.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + CERTIFICATE)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca_key.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        )
        for number, value in extensions:
            oid = x509.ObjectIdentifier(f"{FULCIO}{number}")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        before = builder.sign(self.ca_key, hashes.SHA256())
        promise = self._promise(before.tbs_certificate_bytes, now)
        builder = builder.add_extension(x509.UnrecognizedExtension(SCT_LIST, promise), critical=False)
        return builder.sign(self.ca_key, hashes.SHA256())

    def _promise(self, certificate: bytes, now: datetime.datetime) -> bytes:
        """Return the SCT list of a certificate to be (RFC 6962, 3.2 and 3.3)."""
        moment = int(now.timestamp() * 1000)
        issuer = hashlib.sha256(spki(self.ca_key)).digest()
        entry = issuer + struct.pack("!I", len(certificate))[1:] + certificate
        signature = signed(self.ct_key, struct.pack("!BBQH", 0, 0, moment, 1) + entry + struct.pack("!H", 0))
        sct = struct.pack("!B", 0) + self.ct.id + struct.pack("!QHBBH", moment, 0, 4, 3, len(signature)) + signature
        return core.OctetString(struct.pack("!HH", len(sct) + 2, len(sct)) + sct).dump()

    def hashed(self, digest: bytes, signature: bytes, certificate: bytes, now: datetime.datetime) -> dict[str, Any]:
        """Return the log's entry of a signature of the bytes with this SHA-256; `certificate` is DER."""
        if self.generation == 1:
            spec: dict[str, Any] = {
                "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
                "signature": {"content": text(signature), "publicKey": {"content": text(pem(certificate))}},
            }
            body = {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}
            return self.log.append(plain(body), now, "hashedrekord", "0.0.1")
        verifier = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": text(certificate)}}
        spec = {
            "data": {"algorithm": "SHA2_256", "digest": text(digest)},
            "signature": {"content": text(signature), "verifier": verifier},
        }
        body = {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": spec}}
        return self.log.append(plain(body), now, "hashedrekord", "0.0.2")

    def enveloped(self, envelope: bytes, verifier: str, now: datetime.datetime) -> dict[str, Any]:
        """Return the first generation's entry of a DSSE envelope; `verifier` is a PEM certificate in base64."""
        found = json.loads(envelope)
        payload = base64.b64decode(found["payload"])
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(envelope).hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": each["sig"], "verifier": verifier} for each in found["signatures"]],
        }
        return self.log.append(plain({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}), now, "dsse", "0.0.1")

    def stamp(self, imprint: tsp.MessageImprint, now: datetime.datetime, nonce: int | None = None) -> bytes:
        """Return the answer of the time stamper for the hash of something (RFC 3161)."""
        info = {
            "version": "v1",
            "policy": "1.3.6.1.4.1.57264.2",
            "message_imprint": imprint,
            "serial_number": 7,
            "gen_time": now.replace(microsecond=0),
        }
        content = tsp.TSTInfo(info if nonce is None else {**info, "nonce": nonce})
        leaf = asn1.Certificate.load(self.tsa.public_bytes(serialization.Encoding.DER))
        identifier = {"hash_algorithm": {"algorithm": "sha256"}, "cert_hash": hashlib.sha256(leaf.dump()).digest()}
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [hashlib.sha256(content.dump()).digest()]},
                {"type": "signing_certificate_v2", "values": [{"certs": [identifier]}]},
            ]
        )
        signer = {
            "version": "v1",
            "sid": {"issuer_and_serial_number": {"issuer": leaf.issuer, "serial_number": leaf.serial_number}},
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": signed(self.tsa_key, attributes.dump()),
        }
        data = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": content},
            "certificates": [leaf],
            "signer_infos": [signer],
        }
        token = {"content_type": "signed_data", "content": cms.SignedData(data)}
        answer: bytes = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()
        return answer

    def root(self) -> bytes:
        """Return the instance's trusted root."""

        def authority(name: str, *chain: x509.Certificate) -> dict[str, Any]:
            listed = [{"rawBytes": text(each.public_bytes(serialization.Encoding.DER))} for each in chain]
            return {
                "subject": {"organization": "tests", "commonName": name},
                "uri": self.url,
                "certChain": {"certificates": listed},
                "validFor": {"start": "2026-01-01T00:00:00Z"},
            }

        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.log.described()],
            "certificateAuthorities": [authority("ca", self.ca)],
            "ctlogs": [self.ct.described()],
            "timestampAuthorities": [authority("tsa", self.tsa, self.tsa_root)],
        }
        return json.dumps(document, indent=1).encode()


def imprint(content: bytes) -> tsp.MessageImprint:
    return tsp.MessageImprint(
        {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": hashlib.sha256(content).digest()}
    )


def _authority(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    named = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "tests"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _stamper(
    key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey, root: x509.Certificate
) -> x509.Certificate:
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stamper")])
    return (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + YEARS)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
        .sign(issuer, hashes.SHA256())
    )


def _root(leaves: list[bytes]) -> bytes:
    """Return the Merkle tree hash of leaves that were hashed already (RFC 6962, 2.1)."""
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return hashlib.sha256(b"\1" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    """Return the audit path of a leaf (RFC 6962, 2.1.1)."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*_path(index, leaves[:split]), _root(leaves[split:])]
    return [*_path(index - split, leaves[split:]), _root(leaves[:split])]


def _split(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
