from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from lode.errors import HostError
from lode.publishing.oci.auth import Account, account

TOLD = base64.b64encode(b"ann:se:cret").decode()


def written(folder: Path, document: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("key", ["ghcr.io", "https://ghcr.io", "https://ghcr.io/v2/"])
def test_account_is_found_under_each_form_of_the_host(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, {"auths": {key: {"auth": TOLD}}})
    assert account(path, "ghcr.io", {}) == Account(user="ann", password="se:cret")


def test_account_of_docker_hub_is_found_where_docker_files_it(tmp_path: Path) -> None:
    path = written(tmp_path, {"auths": {"https://index.docker.io/v1/": {"auth": TOLD}}})
    assert account(path, "docker.io", {}) == Account(user="ann", password="se:cret")


def test_identity_token_goes_before_a_password(tmp_path: Path) -> None:
    path = written(tmp_path, {"auths": {"ghcr.io": {"auth": TOLD, "identitytoken": "long"}}})
    assert account(path, "ghcr.io", {}) == Account(identity="long")


def test_no_account_is_none(tmp_path: Path) -> None:
    assert account(tmp_path / "config.json", "ghcr.io", {}) is None
    assert account(written(tmp_path, {"auths": {"quay.io": {"auth": TOLD}}}), "ghcr.io", {}) is None


def test_secrets_are_not_shown() -> None:
    assert repr(Account(user="ann", password="se:cret", identity="long")) == "Account(user='ann')"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "{",
            "PATH cannot be read: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n"
            "  hint: `docker login` writes it",
        ),
        ("[]", "PATH is not a JSON object\n  hint: `docker login` writes it"),
        (
            '{"auths": {"ghcr.io": {"auth": "?"}}}',
            "PATH has an account for ghcr.io that cannot be read\n  hint: `docker login` again",
        ),
    ],
)
def test_damaged_file_is_told_without_what_is_in_it(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(HostError) as caught:
        account(path, "ghcr.io", {})
    assert str(caught.value) == message.replace("PATH", str(path))
