"""Files and folders beside a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, access, lock, node, source

from lode.errors import SourceError
from lode.sourcing.fetch import FetchReport, fetch
from lode.sourcing.mirror import Mirror
from lode.sourcing.pack import packed


def obtain(tmp_path: Path, place: str, content: bytes) -> FetchReport:
    return fetch(
        lock(node("probe", source(place, content=content))), Mirror(tmp_path / "mirror"), targets=[TARGET],
        recipe_file=lambda package, name: tmp_path / package / name, access=access(), offline=True,
    )  # fmt: skip


def test_file_and_folder_are_kept_in_the_mirror_even_offline(tmp_path: Path) -> None:
    (tmp_path / "probe" / "src").mkdir(parents=True)
    (tmp_path / "probe" / "src" / "main.c").write_text("int main;\n")
    assert obtain(tmp_path, "path src/main.c", b"int main;\n").files[0].path.read_bytes() == b"int main;\n"
    archive = packed(tmp_path / "probe" / "src")
    assert obtain(tmp_path, "path src", archive).files[0].path.read_bytes() == archive


def test_changed_file_is_named_with_its_hash(tmp_path: Path) -> None:
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe" / "main.c").write_text("int changed;\n")
    with pytest.raises(SourceError) as caught:
        obtain(tmp_path, "path main.c", b"int main;\n")
    assert str(caught.value).splitlines()[1] == (
        f"    path main.c at {tmp_path}/probe/main.c: "
        f"it gave 13 bytes with the sha256 {source(content=b'int changed;' + bytes([10])).sha256}"
    )


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        obtain(tmp_path, "path main.c", b"")
    assert str(caught.value).splitlines()[1] == f"    path main.c: there is no {tmp_path}/probe/main.c"
