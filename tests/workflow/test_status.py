"""`lode ci report` and `lode ci status` on release folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.workflow.released import release

from lode.cli import main
from lode.errors import UsageError
from lode.workflow import status


def test_page_links_to_releases_below_it_and_only_to_these(tmp_path: Path) -> None:
    release(tmp_path / "public" / "a b", images=False)
    release(tmp_path / "elsewhere", images=False)
    page, found = status.site([tmp_path], tmp_path / "public", title="Ours")
    assert page == tmp_path / "public" / "index.html"
    assert found == (tmp_path / "elsewhere", tmp_path / "public" / "a b")
    text = page.read_text()
    assert text.count('href="a%20b/report.html"') == 1
    assert text.count("href=") == 1


def test_a_folder_without_a_release_is_refused_and_no_page_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        status.site([tmp_path], tmp_path / "public", title="Ours")
    assert str(caught.value) == (f"no release lies in {tmp_path}\n  hint: `lode release STACK -o FOLDER` makes one")
    assert list(tmp_path.iterdir()) == []


def test_report_compares_two_folders_and_needs_no_trees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = release(tmp_path / "old", images=False)
    new = release(tmp_path / "new", images=False)
    for prefix in new.glob("*/prefix"):
        shutil.rmtree(prefix)
    assert main.run(["ci", "report", "--old", str(old), "--new", str(new), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["markdown"]
    assert "The lock is the same." in said
    assert "| tests | 1 passed | 1 passed |" in said
    assert main.run(["ci", "report", "--new", str(tmp_path)]) == 10
    assert capsys.readouterr().err == (f"no release lies at {tmp_path}\n  hint: `lode release STACK` makes one\n")
