"""The user's keys lie in one folder, private ones closed, and no call leaves half of one."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.signing.factory import private, public

from lode.errors import HostError, UsageError
from lode.signing import keys as forms
from lode.workflow import keys
from lode.workflow.identities import Pipeline

NOWHERE = Pipeline(collection=None, environ={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.make(tmp_path / "keys", "release", b"pw")
    return tmp_path / "keys"


def secret(_: str) -> str:
    return "pw"


def test_made_key_signs(folder: Path) -> None:
    signer = keys.opened(folder, None, secret, NOWHERE)
    signature = bytes.fromhex(signer.sign(b"text").signature)
    assert keys.find(folder, "release").public.verifies(signature, b"text")
    assert keys.opened(folder, str(folder / "release.key"), secret, NOWHERE).public_key == signer.public_key


def test_private_key_is_closed_to_others(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "release.key").stat().st_mode) == 0o600
    assert b"ENCRYPTED" in (folder / "release.key").read_bytes()


def test_second_key_of_a_name_is_refused(folder: Path) -> None:
    before = (folder / "release.key").read_bytes()
    with pytest.raises(UsageError, match="there is a signing key called release already"):
        keys.make(folder, "release", b"other")
    assert (folder / "release.key").read_bytes() == before


def test_private_key_without_a_public_one_is_made_anew(folder: Path) -> None:
    (folder / "release.pub").unlink()  # as a kill between both leaves it
    assert keys.stored(folder) == ()
    assert keys.make(folder, "release", b"pw").name == "release"


def test_choice_between_keys_is_left_to_the_user(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        keys.find(folder, "relese")
    assert str(caught.value) == "there is no signing key called 'relese'\n  hint: did you mean 'release'?"
    keys.make(folder, "ci", b"pw")
    with pytest.raises(UsageError) as caught:
        keys.find(folder, None)
    assert str(caught.value) == "there are several signing keys\n  hint: choose one with --key: ci, release"


def test_no_key_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        keys.opened(tmp_path, None, secret, NOWHERE)
    assert str(caught.value) == f"there is no signing key in {tmp_path}\n  hint: `lode keys init` makes one"


@pytest.mark.parametrize("form", ["cosign", "pkcs8"])
def test_exported_key_is_imported_as_the_same(folder: Path, tmp_path: Path, form: str) -> None:
    output = tmp_path / "out.key"
    keys.export(keys.find(folder, None), form, password=b"pw", output=output)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    kept = keys.take(tmp_path / "other", "release", output, given=b"pw", password=b"new")
    assert kept.public == keys.find(folder, None).public
    with pytest.raises(UsageError, match="is already there"):
        keys.export(keys.find(folder, None), form, password=b"pw", output=output)


def test_public_key_is_exported_without_a_password(folder: Path, tmp_path: Path) -> None:
    keys.export(keys.find(folder, None), "public", password=b"", output=tmp_path / "k.pub")
    assert forms.load_public((tmp_path / "k.pub").read_bytes(), "k") == keys.find(folder, None).public


def test_wrong_password_opens_nothing(folder: Path) -> None:
    with pytest.raises(HostError, match="the key does not open with this password"):
        keys.opened(folder, "release", lambda _: "wrong", NOWHERE)


def test_signer_by_uri_is_kept_with_its_public_key(tmp_path: Path) -> None:
    file, folder = tmp_path / "k.pem", tmp_path / "keys"
    file.write_bytes(forms.dump_pkcs8(private("one"), b""))
    (tmp_path / "k.pub").write_bytes(public("one").pem)
    kept = keys.register(folder, "token", f"file2:{file}", tmp_path / "k.pub", secret)
    assert (kept.private, kept.public) == (f"file2:{file}", public("one"))
    for asked in (None, "token", f"file2:{file}"):
        signature = bytes.fromhex(keys.opened(folder, asked, secret, NOWHERE).sign(b"text").signature)
        assert public("one").verifies(signature, b"text")
    with pytest.raises(UsageError, match=r"the private key token does not leave file2:"):
        keys.export(kept, "cosign", password=b"", output=tmp_path / "x")


def test_signer_that_is_another_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "k.pem").write_bytes(forms.dump_pkcs8(private("one"), b""))
    (tmp_path / "k.pub").write_bytes(public("two").pem)
    keys.register(tmp_path / "keys", "token", f"file2:{tmp_path}/k.pem", tmp_path / "k.pub", secret)
    with pytest.raises(HostError, match="KeyMismatchError"):
        keys.opened(tmp_path / "keys", None, secret, NOWHERE)


@pytest.mark.parametrize("uri", ["nonsense", "ftp:x", "https://example.org"])
def test_unknown_kind_of_signer_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UsageError, match=r"is no signer's URI"):
        keys.register(tmp_path, "token", uri, None, secret)


def test_token_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"the signer hsm:2 cannot be used"):
        keys.register(tmp_path, "token", "hsm:2", None, secret)
