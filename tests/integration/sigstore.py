"""A private Sigstore instance on the loopback interface: issuer of tokens, authority, log and time stamper in one.

What it answers is made by `tests.signing.instance`; here are only the forms of the requests. It believes nobody: a
token must be signed by its issuer and a request for a certificate by the new key.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.signing.instance import Instance, Person, made

AUDIENCE = "sigstore"


class Services:
    """A running instance. `person` is whom the tokens that it gives out name; `refusing` holds paths that fail."""

    def __init__(self, generation: int, folder: Path, name: str) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.services = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.instance = Instance(name=name, url=self.url, generation=generation)
        self.instance.log.append(b"the first entry", _now(), "hashedrekord", "0.0.1")  # cosign 2 takes 0 for no place
        self.person = Person()
        self.refusing: set[str] = set()
        self.asked: list[str] = []  # the paths, in order
        self.issuer_key = made("issuer")
        self.lock = threading.Lock()
        self.root = folder / "root.json"
        self.root.write_bytes(self.instance.root())
        self.config = folder / "services.json"
        self.config.write_text(json.dumps(self._config(), indent=1))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, person: Person | None = None, key: ec.EllipticCurvePrivateKey | None = None) -> str:
        """Return a token of the issuer for the person, good for some minutes."""
        whom, now = person or self.person, datetime.datetime.now(datetime.UTC)
        claims = {
            "iss": whom.issuer,
            "sub": whom.identity,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + datetime.timedelta(minutes=5),
            "repository": whom.repository,
        }
        encoded: str = jwt.encode(claims, key or self.issuer_key, algorithm="ES256")
        return encoded

    def _config(self) -> dict[str, Any]:
        def at(path: str, version: int) -> list[dict[str, Any]]:
            valid = {"start": "2026-01-01T00:00:00Z"}
            return [{"url": f"{self.url}{path}", "majorApiVersion": version, "validFor": valid, "operator": "tests"}]

        return {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": at("", 1),
            "rekorTlogUrls": at("", self.instance.generation),
            "tsaUrls": at("/api/v1/timestamp", 1) if self.instance.generation == 2 else [],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaConfig": {"selector": "ANY"},
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    made = ""  # the name of a log's entry, which cosign takes from the headers

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def do_GET(self) -> None:
        services: Services = self.server.services  # type: ignore[attr-defined]
        if self.path.startswith("/token?") and self.headers["Authorization"] == "bearer of the job":
            self._answer(200, json.dumps({"value": services.token()}).encode())
        else:
            self._answer(404, b"{}")

    def do_POST(self) -> None:
        services: Services = self.server.services  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        services.asked.append(self.path)
        if self.path in services.refusing:
            self._answer(503, b'{"code": 503, "message": "out of order"}')
            return
        answers = {
            "/api/v2/signingCert": self._certificate,
            "/api/v1/log/entries": self._entry_v1,
            "/api/v2/log/entries": self._entry_v2,
            "/api/v1/timestamp": self._stamp,
        }
        try:
            with services.lock:
                status, content = answers[self.path](services, body)
        except (ValueError, KeyError, jwt.InvalidTokenError) as error:
            status, content = 400, json.dumps({"code": 400, "message": f"{type(error).__name__}: {error}"}).encode()
        self._answer(status, content)

    def _certificate(self, services: Services, body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        token = asked.get("credentials", {}).get("oidcIdentityToken") or self.headers["Authorization"].split(" ")[1]
        known = services.issuer_key.public_key()
        claims = jwt.decode(token, known, algorithms=["ES256"], audience=AUDIENCE)
        if "certificateSigningRequest" in asked:
            request = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
            if not request.is_signature_valid:
                raise ValueError("the request is not signed by its key")
            key = request.public_key()
        else:
            content = asked["publicKeyRequest"]["publicKey"]["content"].encode()
            key = serialization.load_pem_public_key(content)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        whom = Person(identity=claims["sub"], issuer=claims["iss"], repository=claims["repository"])
        new = services.instance.certificate(key, whom, _now())
        chain = [each.public_bytes(serialization.Encoding.PEM).decode() for each in (new, services.instance.ca)]
        return 200, json.dumps({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}).encode()

    def _entry_v1(self, services: Services, body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        spec = asked["spec"]
        if asked["kind"] == "dsse":
            proposed = spec["proposedContent"]
            entry = services.instance.enveloped(proposed["envelope"].encode(), proposed["verifiers"][0], _now())
        else:
            pem = base64.b64decode(spec["signature"]["publicKey"]["content"])
            der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
            digest = bytes.fromhex(spec["data"]["hash"]["value"])
            signature = base64.b64decode(spec["signature"]["content"])
            entry = services.instance.hashed(digest, signature, der, _now())
        proof = entry["inclusionProof"]
        answer = {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
            "logIndex": int(entry["logIndex"]),
            "verification": {
                "inclusionProof": {
                    "checkpoint": proof["checkpoint"]["envelope"],
                    "hashes": [base64.b64decode(each).hex() for each in proof["hashes"]],
                    "logIndex": int(proof["logIndex"]),
                    "rootHash": base64.b64decode(proof["rootHash"]).hex(),
                    "treeSize": int(proof["treeSize"]),
                },
                "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            },
        }
        uuid = hashlib.sha256(b"\0" + base64.b64decode(entry["canonicalizedBody"])).hexdigest()
        self.made = uuid
        return 201, json.dumps({uuid: answer}).encode()

    def _entry_v2(self, services: Services, body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)["hashedRekordRequestV002"]
        certificate = base64.b64decode(asked["signature"]["verifier"]["x509Certificate"]["rawBytes"])
        signature = base64.b64decode(asked["signature"]["content"])
        entry = services.instance.hashed(base64.b64decode(asked["digest"]), signature, certificate, _now())
        return 201, json.dumps(entry).encode()

    def _stamp(self, services: Services, body: bytes) -> tuple[int, bytes]:
        asked = tsp.TimeStampReq.load(body)
        return 201, services.instance.stamp(asked["message_imprint"], _now(), asked["nonce"].native)

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if self.made:
            self.send_header("ETag", self.made)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextlib.contextmanager
def running(generation: int, folder: Path, name: str = "instance") -> Iterator[Services]:
    """Yield a running instance whose trusted root and signing config lie in `folder`; it is stopped afterwards."""
    services = Services(generation, folder, name)
    try:
        yield services
    finally:
        services.stop()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
