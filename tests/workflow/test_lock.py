from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from lode.workflow.lock import tools


def test_versions_of_tools_are_those_that_are_installed() -> None:
    assert tools() == {
        "lode-format": "1",
        "rattler": metadata.version("py-rattler"),
        "rattler-build": metadata.version("py-rattler-build"),
    }


def test_first_folder_of_the_path_with_a_distribution_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "py_rattler-9.8.7.dist-info").mkdir()
    (tmp_path / "py_rattler_build-1.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert tools() == {"lode-format": "1", "rattler": "9.8.7", "rattler-build": "1"}


def test_two_versions_in_one_folder_are_left_to_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0", "2.0"):
        folder = tmp_path / f"py_rattler-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: py-rattler\nVersion: {version}\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert tools()["rattler"] == metadata.version("py-rattler")
