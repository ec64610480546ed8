"""`lode sbom` and `lode cite` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.describing.factory import mini
from tests.testing.factory import whole

from lode.cli.main import run
from lode.describing import citations
from lode.locking import lockfile


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lode.lock").write_bytes(lockfile.dump(whole(mini())))


def test_bill_is_printed_or_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sbom", "./lode.lock"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["bomFormat"] == "CycloneDX"
    assert run(["sbom", "./lode.lock", "-o", "sbom.json", "--json"]) == 0
    assert Path("sbom.json").read_text() == printed
    assert json.loads(capsys.readouterr().out) == {"file": "sbom.json", "format": "cyclonedx"}
    assert run(["sbom", "./lode.lock", "--format", "spdx"]) == 0
    assert json.loads(capsys.readouterr().out)["spdxVersion"] == "SPDX-2.3"


def test_target_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sbom", "./lode.lock", "--target", "el9-x86_64"]) == 2
    assert capsys.readouterr().err == (
        "dance-mini@2026.11 has no target 'el9-x86_64'\n  hint: choose one with --target: debian12-x86_64\n"
    )


def test_works_are_cited(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cite", "./lode.lock"]) == 0
    assert capsys.readouterr().out == citations.text(mini())
    assert run(["cite", "./lode.lock", "--format", "bibtex"]) == 0
    assert capsys.readouterr().out == citations.bibtex(mini())
    assert run(["cite", "./lode.lock", "--json"]) == 0
    assert [each["package"] for each in json.loads(capsys.readouterr().out)["citations"]] == ["nest", "nest", "numpy"]
