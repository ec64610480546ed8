"""A command signs by the identity of its pipeline when a policy names identities and there is a token."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.signing.identities import PERSON, place

from lode import digest
from lode.errors import HostError, UsageError
from lode.workflow import keys
from lode.workflow.identities import Pipeline

TOKEN = {"SIGSTORE_ID_TOKEN": "a token"}
FORGE = {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:1/token"}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    root = place().root()
    (tmp_path / "root.json").write_bytes(root)
    (tmp_path / "trust.yaml").write_text(
        "name: dance\nexpires: 2999-01-01\nidentities:\n"
        f"  ci: {{identity: {PERSON.identity}, issuer: {PERSON.issuer}}}\n"
        f"sigstore: {{root: root.json, sha256: '{digest.of_bytes(root)}'}}\n"
    )
    return tmp_path


def test_pipeline_is_known_by_its_policy_and_a_token(collection: Path) -> None:
    for environ in (TOKEN, FORGE):
        assert Pipeline(collection=collection, environ=environ).is_known
        assert not Pipeline(collection=None, environ=environ).is_known
    without = Pipeline(collection=collection, environ={"SIGSTORE_ID_TOKEN": ""})
    assert (without.is_known, without.names_identities) == (False, True)


def test_policy_without_identities_or_with_faults_names_nobody(collection: Path) -> None:
    (collection / "root.json").write_bytes(b"{}")
    assert not Pipeline(collection=collection, environ=TOKEN).is_known
    (collection / "trust.yaml").write_text("name: dance\nexpires: 2999-01-01\n")
    assert not Pipeline(collection=collection, environ=TOKEN).is_known
    with pytest.raises(UsageError, match="no trust policy here says which Sigstore instance is trusted"):
        Pipeline(collection=collection, environ=TOKEN).signer("sigstore:")


def test_key_that_is_there_goes_before_the_identity(collection: Path, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.make(folder, "release", b"")
    signer = keys.opened(folder, None, lambda _: "", Pipeline(collection=collection, environ=TOKEN))
    assert "public" in signer.public_key.keyval  # type: ignore[union-attr]


def test_file_that_says_where_to_sign_must_be_there(collection: Path) -> None:
    with pytest.raises(HostError, match=r"none\.json cannot be read: No such file or directory"):
        Pipeline(collection=collection, environ=TOKEN).signer("sigstore:none.json")
