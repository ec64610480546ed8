"""A key that never leaves a PKCS #11 token signs as one in a file does; the token is SoftHSM's."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.describing.factory import mini
from tests.integration.engines import program
from tests.testing.factory import whole

from lode.locking import lockfile

pytestmark = pytest.mark.integration

LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "1234"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment in which a token called lode holds a key with the number 2."""
    if importlib.util.find_spec("pkcs11") is None:
        pytest.skip("needs python-pkcs11: pip install 'lode[hsm]'")
    util, tool = program("softhsm2-util", "softhsm2"), program("pkcs11-tool", "opensc")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    environ = {
        **os.environ,
        "SOFTHSM2_CONF": str(tmp_path / "softhsm.conf"),
        "PYKCS11LIB": str(LIBRARY),
        "LODE_HOME": str(tmp_path / "home"),
        "LODE_KEY_PASSWORD": PIN,
    }
    for command in (
        [util, "--init-token", "--free", "--label", "lode", "--pin", PIN, "--so-pin", "5678"],
        [tool, "--module", str(LIBRARY), "--token-label", "lode", "--login", "--pin", PIN,
         "--keypairgen", "--key-type", "EC:prime256v1", "--id", "02"],
    ):  # fmt: skip
        subprocess.run(command, env=environ, check=True, capture_output=True, timeout=100)
    return environ


def lode(environ: dict[str, str], *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lode", *arguments],
        env={**environ, **changes}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_key_of_a_token_signs(environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "lode.lock"
    file.write_bytes(lockfile.dump(whole(mini())))
    kept = lode(environ, "keys", "import", "--signer", "hsm:2?label=lode", "--name", "token")
    assert kept.returncode == 0, kept.stderr
    wrong = lode(environ, "sign", str(file), LODE_KEY_PASSWORD="9999")
    assert (wrong.returncode, wrong.stderr.startswith("the HSM signer did not sign: PinIncorrect")) == (10, True)
    assert not (tmp_path / "lode.lock.dsse").exists()
    signed = lode(environ, "sign", str(file))
    assert signed.returncode == 0, signed.stderr
    public = Path(environ["LODE_HOME"]) / "keys/token.pub"
    assert lode(environ, "verify", str(file), "--key", str(public)).returncode == 0
    assert PIN not in signed.stdout + signed.stderr + kept.stdout + (tmp_path / "lode.lock.dsse").read_text()


def test_number_that_the_token_does_not_have_is_told(environ: dict[str, str]) -> None:
    missing = lode(environ, "keys", "import", "--signer", "hsm:7?label=lode", "--name", "token")
    assert missing.returncode == 10
    assert missing.stderr.startswith("the signer hsm:7?label=lode cannot be used: ValueError: could not find ECDSA key")
