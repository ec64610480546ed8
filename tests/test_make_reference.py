"""The generated pages of the reference are current."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from lode.cli.main import COMMANDS

SCRIPT = Path(__file__).resolve().parent.parent / "tools" / "make_reference.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_what_the_script_writes(script: ModuleType) -> None:
    for name, text in script.pages().items():
        assert (script.FOLDER / name).read_text() == text, f"{name} is out of date: run tools/make_reference.py"


def test_every_command_has_its_heading(script: ModuleType) -> None:
    assert sorted(re.findall(r"^### lode (\S+)$", script.commands(), re.MULTILINE)) == sorted(COMMANDS)


def test_check_names_the_difference_and_writes_nothing(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    assert script.main(["--check"]) == 1
    assert "+# Exit statuses" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0
