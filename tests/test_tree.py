"""Small trees of files: what they refuse, and writing that a kill cannot leave half done."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from lode import tree
from lode.tree import FileTree


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../b", ""])
def test_a_path_out_of_the_tree_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a path inside a tree"):
        FileTree(files={PurePosixPath(path): b""})


def test_files_are_written_with_their_modes_whatever_the_umask(tmp_path: Path) -> None:
    run, note = PurePosixPath("bin/run"), PurePosixPath("note")
    before = os.umask(0o077)
    try:
        tree.write(FileTree(files={run: b"#!", note: b"n"}, executable=frozenset({run})), tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / run).read_bytes() == b"#!"
    assert (tmp_path / run).stat().st_mode & 0o777 == 0o755
    assert (tmp_path / note).stat().st_mode & 0o777 == 0o644


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("m")
    tree.write(FileTree(files={PurePosixPath("yours"): b"y"}), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "yours"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        tree.replace(tmp_path / "file", b"new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]
