"""Secrets of a run are in none of its outputs and in no file that it leaves, at any verbosity, whatever goes wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.integration.building import Collection, collection

__all__ = ["collection"]

pytestmark = pytest.mark.integration

SECRETS = {
    "LODE_KEY_PASSWORD": "sesame-key-5f3a",
    "LODE_CVMFS_PASSPHRASE": "sesame-cvmfs-77c1",
    "LODE_STORE_TOKEN": "sesame-token-0b9e",
    "AWS_SECRET_ACCESS_KEY": "sesame-bucket-1d44",
    "AWS_ACCESS_KEY_ID": "a",
}


def leaks(ended: subprocess.CompletedProcess[str], home: Path, secrets: list[str]) -> list[str]:
    """Return where one of `secrets` can be read: "output", or a file below `home`."""
    found = ["output"] if any(one in ended.stdout + ended.stderr for one in secrets) else []
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    return found + [str(path) for path in files if any(one.encode() in path.read_bytes() for one in secrets)]


def test_a_release_and_what_publishes_it_keep_their_secrets(collection: Collection) -> None:
    collection.waves()
    secrets = [value for value in SECRETS.values() if value.startswith("sesame")]
    told = {**SECRETS, "LODE_DEBUG": "1"}
    store = str(collection.root / "store")
    for words in (["release", "tiny", "-vv", "--store", store], ["publish", "tiny", "-vv"]):
        ended = collection.lode(*words, **told)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert leaks(ended, collection.root, secrets) == []
    wrong = {name: value.replace("sesame", "simsim") for name, value in told.items()}
    ended = collection.lode("release", "tiny", "-vv", **wrong)
    assert ended.returncode != 0, ended.stdout + ended.stderr
    assert leaks(ended, collection.root, [*secrets, *(one.replace("sesame", "simsim") for one in secrets)]) == []


@pytest.mark.parametrize("scheme", ["http", "oci", "s3", "ftp"])
def test_a_password_in_a_stores_address_is_in_no_message(scheme: str, collection: Collection) -> None:
    collection.waves()
    address = f"{scheme}://user:sesame-9c1@127.0.0.1:9/x/y"
    ended = collection.lode("build", "tiny", "-vv", "--store", address, LODE_DEBUG="1")
    assert ended.returncode in (2, 10), ended.stdout + ended.stderr
    assert "127.0.0.1:9/x/y" in ended.stderr
    assert leaks(ended, collection.root, ["sesame-9c1"]) == []
