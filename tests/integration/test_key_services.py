"""A key that never leaves a key service signs as one in a file does; the service is AWS KMS's API, served by moto."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from tests.describing.factory import mini
from tests.integration.newer import unpacked
from tests.testing.factory import whole
from tests.workflow import released

from lode.locking import lockfile

pytestmark = pytest.mark.integration


def sign_digest(self: Any, message: bytes, signing_algorithm: str) -> bytes:
    """Return the signature of a digest, as AWS documents MessageType=DIGEST; moto 5 hashes what is one already."""
    kind = {32: hashes.SHA256(), 48: hashes.SHA384()}[len(message)]
    assert signing_algorithm == f"ECDSA_SHA_{8 * len(message)}"
    signature: bytes = self.private_key.sign(message, ec.ECDSA(Prehashed(kind)))
    return signature


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, dict[str, str]]]:
    """Return a client of a running key service, and the settings by which others reach it."""
    import boto3
    from moto.kms.utils import ECDSAPrivateKey
    from moto.server import ThreadedMotoServer

    monkeypatch.setattr(ECDSAPrivateKey, "sign", sign_digest)
    served = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    served.start()
    try:
        host, port = served.get_host_and_port()
        settings = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_DEFAULT_REGION": "eu-south-1",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }
        yield boto3.client(
            "kms", endpoint_url=settings["AWS_ENDPOINT_URL"], region_name="eu-south-1", aws_access_key_id="a",
            aws_secret_access_key="b",
        ), settings  # fmt: skip
    finally:
        served.stop()


@pytest.fixture
def environ(service: tuple[Any, dict[str, str]], tmp_path: Path) -> dict[str, str]:
    return {**os.environ, **service[1], "LODE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}


def lode(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lode", *arguments], env=environ, capture_output=True, text=True, timeout=100,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def made(client: Any, spec: str) -> str:
    key: str = client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    return f"awskms:{key}"


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P384"])
def test_key_of_a_service_signs_a_lock(
    service: tuple[Any, dict[str, str]], environ: dict[str, str], tmp_path: Path, spec: str
) -> None:
    file = tmp_path / "lode.lock"
    file.write_bytes(lockfile.dump(whole(mini())))
    uri = made(service[0], spec)
    kept = lode(environ, "keys", "import", "--signer", uri, "--name", "kms")
    assert kept.returncode == 0, kept.stderr
    signed = lode(environ, "sign", str(file))
    assert signed.returncode == 0, signed.stderr
    public = str(Path(environ["LODE_HOME"]) / "keys/kms.pub")
    assert lode(environ, "verify", str(file), "--key", public).returncode == 0
    file.write_bytes(file.read_bytes() + b"\n")
    assert lode(environ, "verify", str(file), "--key", public).returncode == 9


def test_release_signed_by_a_service_is_accepted_by_cosign(
    service: tuple[Any, dict[str, str]], environ: dict[str, str], tmp_path: Path
) -> None:
    release = released.release(tmp_path / "r")
    assert (
        lode(environ, "keys", "import", "--signer", made(service[0], "ECC_NIST_P256"), "--name", "kms").returncode == 0
    )
    signed = lode(environ, "sign", str(release))
    assert signed.returncode == 0, signed.stderr
    public = str(Path(environ["LODE_HOME"]) / "keys/kms.pub")
    assert lode(environ, "verify", str(release), "--key", public).returncode == 0
    (tmp_path / "root.json").write_text('{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}')
    cosign = [unpacked("cosign", "sid") / "usr/bin/cosign", "verify-blob", "--insecure-ignore-tlog"]
    bundle = ["--trusted-root", str(tmp_path / "root.json"), "--bundle", str(release / "lode.lock.sigstore.json")]
    done = subprocess.run(
        [*cosign, *bundle, "--key", public, str(release / "lode.lock")], env=environ, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_key_that_the_service_has_not_or_gives_no_more_is_told(
    service: tuple[Any, dict[str, str]], environ: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "lode.lock"
    file.write_bytes(lockfile.dump(whole(mini())))
    missing = lode(environ, "keys", "import", "--signer", "awskms:none", "--name", "kms")
    assert (missing.returncode, "the signer awskms:none cannot be used" in missing.stderr) == (10, True)
    wrong = lode(environ, "keys", "import", "--signer", made(service[0], "RSA_2048"), "--name", "kms")
    assert (wrong.returncode, "Traceback" in wrong.stderr) == (9, False)
    uri = made(service[0], "ECC_NIST_P256")
    assert lode(environ, "keys", "import", "--signer", uri, "--name", "kms").returncode == 0
    service[0].schedule_key_deletion(KeyId=uri.removeprefix("awskms:"), PendingWindowInDays=7)
    gone = lode({**environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "sign", str(file))
    assert (gone.returncode, "Traceback" in gone.stderr) == (10, False)
    assert not (tmp_path / "lode.lock.dsse").exists()
