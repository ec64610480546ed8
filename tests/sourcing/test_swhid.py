"""Software Heritage ids: Git's ids of the same files and trees."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lode.sourcing.swhid import swhid_of


def test_file_has_the_id_of_gits_blob(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    assert swhid_of(file) == "swh:1:cnt:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    file.write_bytes(b"what is up, doc?")  # Pro Git, chapter 10.2
    assert swhid_of(file) == "swh:1:cnt:bd9dbf5aae1a3862dd1526723246b20206e5fc37"


def test_empty_folder_has_the_id_of_gits_empty_tree(tmp_path: Path) -> None:
    assert swhid_of(tmp_path) == "swh:1:dir:4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_link_itself_has_no_id(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(ValueError, match="neither a file nor a folder"):
        swhid_of(tmp_path / "link")


@pytest.mark.integration
def test_folder_has_the_id_that_git_gives_its_tree(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "deep").write_text("deep")
    (tmp_path / "a.txt").write_text("sorts before a/ in Git's order")
    (tmp_path / "a0").write_text("sorts after a/")
    (tmp_path / "run").write_text("#!/bin/sh\n")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "link").symlink_to("a/deep")
    expected = swhid_of(tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    tree = subprocess.run(["git", "-C", tmp_path, "write-tree"], check=True, capture_output=True, text=True)
    assert expected == f"swh:1:dir:{tree.stdout.strip()}"
