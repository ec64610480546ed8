"""`lode init` as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lode.cli import main
from lode.workflow import init


def test_init_lists_what_it_wrote_and_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(init, "published", lambda _: None)
    assert main.run(["init", "dmx", "--target", "debian12-x86_64"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[-1]
        == "then say in .github/workflows/lode.yml where Lode is: OWNER, and the COMMIT that you have looked at"
    )
    assert lines[0] == "wrote"
    assert "  dmx/collection.yaml" in lines
    assert lines[-6:-1] == ["next", "  cd dmx", "  lode check", "  lode lock dmx", "  lode release dmx"]
    assert (tmp_path / "dmx" / "recipes" / "dmx-pulses" / "src" / "pulses.cpp").is_file()


def test_init_twice_refuses_with_the_files_in_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(init, "published", lambda _: None)
    arguments = ["init", "--experiment", "dmx", "--target", "debian12-x86_64", "--json"]
    assert main.run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["experiment"] == "dmx"
    assert main.run(arguments) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["error"], len(document["faults"])) == ("UsageError", 8)
