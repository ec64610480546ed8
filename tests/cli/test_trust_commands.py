"""`lode keys`, `lode sign` and `lode verify` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.describing.factory import mini
from tests.testing.factory import whole

from lode.cli.main import run
from lode.locking import lockfile


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return the current folder, with a lock; there is a key called release, whose password is known."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LODE_KEY_PASSWORD", "correct horse")
    (tmp_path / "lode.lock").write_bytes(lockfile.dump(whole(mini())))
    assert run(["keys", "init"]) == 0
    assert run(["keys", "export", "-o", "release.pub"]) == 0
    assert "correct horse" not in capsys.readouterr().out
    return tmp_path


def test_signed_lock_is_verified(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sign", "lode.lock"]) == 0
    capsys.readouterr()
    assert run(["verify", "lode.lock", "--key", "release.pub", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verified"], found["kind"], found["stack"], found["signers"]) == (
        True, "lock", "dance-mini", ["given"],
    )  # fmt: skip
    assert run(["verify", "lock", "lode.lock", "--key", "release.pub", "--stack", "dance-mini@2026.11"]) == 0
    assert run(["verify", "lode.lock", "--key", "release.pub", "--stack", "dance-mini@2026.12"]) == 9


def test_status_tells_altered_from_untrusted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "lode.lock", "--key", "release.pub"]) == 9  # not signed
    assert run(["sign", "lode.lock"]) == 0
    assert run(["keys", "init", "other"]) == 0
    assert run(["keys", "export", "other", "-o", "other.pub"]) == 0
    assert run(["verify", "lode.lock", "--key", "other.pub"]) == 13
    (here / "lode.lock").write_bytes((here / "lode.lock").read_bytes() + b"\n")
    assert run(["verify", "lode.lock", "--key", "release.pub"]) == 9
    capsys.readouterr()
    assert run(["verify", "lode.lock", "--key", "release.pub", "--json"]) == 9
    assert json.loads(capsys.readouterr().out)["error"] == "VerificationError"


@pytest.mark.integration  # it asks git where this checkout is from
def test_new_experiment_trusts_the_keys_that_are_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "new", "--experiment", "dmx", "--target", "debian12-x86_64"]) == 0
    capsys.readouterr()
    assert run(["check", "new"]) == 0
    assert capsys.readouterr().out == "no faults in 1 recipe, 1 stack, 0 targets, the trust policy\n"
    assert run(["sign", "lode.lock"]) == 0
    assert run(["verify", "lode.lock", "--policy", "new/trust.yaml"]) == 0
    assert run(["sign", "new/trust.yaml"]) == 0
    assert run(["verify", "lode.lock", "--policy", "new/trust.yaml", "--root", "release.pub"]) == 0


def test_password_is_never_asked_without_a_terminal(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LODE_KEY_PASSWORD")
    assert run(["sign", "lode.lock"]) == 2
    assert capsys.readouterr().err == (
        "the password of the key release is needed, and this is no terminal to ask on\n"
        "  hint: give it in LODE_KEY_PASSWORD\n"
    )


def test_no_policy_is_no_verification(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "lode.lock", "--policy", "none.yaml"]) == 2
    assert capsys.readouterr().err == (
        "there is no trust policy none.yaml\n  hint: name one with --policy, or a public key with --key\n"
    )
    assert run(["verify", "lode.lock", "--policy", "none.yaml", "--key", "release.pub"]) == 2


def test_faults_of_a_policy_have_places(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("trust.yaml").write_text("name: dmx\nexpires: soon\n")
    assert run(["verify", "lode.lock", "--policy", "trust.yaml"]) == 3
    assert capsys.readouterr().err == "trust.yaml:2:10: expires: expected a date such as 2026-11-30, found 'soon'\n"


def test_kind_that_is_none_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "lcok", "lode.lock", "--key", "release.pub"]) == 2
    assert capsys.readouterr().err == (
        "one subject is needed, not lcok lode.lock\n"
        "  hint: write SUBJECT, or KIND SUBJECT with a kind of: lock, prefix, release, image, cvmfs, bundle, policy\n"
    )


def test_keys_are_shown_without_secrets(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "show", "--json"]) == 0
    (key,) = json.loads(capsys.readouterr().out)["keys"]
    assert sorted(key) == ["fingerprint", "name", "private", "public", "public_file", "scheme"]
    assert key["public"] == Path("release.pub").read_text()
    assert key["private"].endswith("/keys/release.key")


def test_key_is_imported_under_a_new_password(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["keys", "export", "--form", "cosign", "-o", "cosign.key"]) == 0
    monkeypatch.setenv("LODE_FILE_PASSWORD", "correct horse")
    monkeypatch.setenv("LODE_KEY_PASSWORD", "new")
    assert run(["keys", "import", "cosign.key", "--name", "again"]) == 0
    assert run(["sign", "lode.lock", "--key", "again"]) == 0
    assert run(["sign", "lode.lock", "--key", "release"]) == 10
