"""A folder's archive depends on its content and nothing else."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from tests.sourcing.factory import tree

from lode import digest
from lode.sourcing.pack import packed
from lode.sourcing.unpack import unpack


def fill(root: Path, names: list[str]) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".link"):
            path.symlink_to("../b.txt")
        else:
            path.write_text(f"content of {name}\n")
    (root / "b.txt").chmod(0o755)


NAMES = ["a/z.txt", "a/y.link", "b.txt", "ä.txt", "a.txt"]


def test_bytes_do_not_depend_on_order_time_or_place(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    fill(tmp_path / "one", NAMES)
    fill(tmp_path / "two", NAMES[::-1])
    os.utime(tmp_path / "two" / "a.txt", (1, 1))
    (tmp_path / "two" / "a.txt").chmod(0o600)
    assert packed(tmp_path / "one") == packed(tmp_path / "two")


def test_form_is_fixed_for_good(tmp_path: Path) -> None:
    fill(tmp_path, NAMES)
    assert digest.of_bytes(packed(tmp_path)) == "42bf0af29c0b48f6e7a1acfe407d0a417d79654818bace136c54377a94ed4d4d"


def test_what_is_packed_unpacks_to_the_same(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    fill(tmp_path / "one", NAMES)
    unpack(io.BytesIO(packed(tmp_path / "one")), "one.tar", tmp_path / "two")
    assert tree(tmp_path / "two") == tree(tmp_path / "one")
    assert (tmp_path / "two" / "b.txt").stat().st_mode & 0o777 == 0o755


def test_history_is_no_part_of_a_source(tmp_path: Path) -> None:
    before = packed(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert packed(tmp_path) == before


def test_fifo_cannot_be_packed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError, match="neither a file, a folder nor a link: source/fifo"):
        packed(tmp_path)
