from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lode.errors import VerificationError
from lode.inventory import Entry, EntryType
from lode.publishing.oci import cut, packages
from lode.publishing.oci.cut import REST, Spool


def file(path: str, size: int = 1) -> Entry:
    return Entry(path=path, type=EntryType.FILE, mode=0o644, size=size, content="0" * 64)


def folder(path: str) -> Entry:
    return Entry(path=path, type=EntryType.DIRECTORY, mode=0o755, size=0, content="")


def spooled(entries: list[Entry], owners: Mapping[str, str], room: Path) -> dict[str, list[str]]:
    with Spool(room) as into:
        owned = sorted((path.encode(), package) for path, package in owners.items())
        cut.spool(entries, owned, into)
        return {package: [one.path for one in into.entries([package])] for package in into.sizes}


def test_each_package_gets_its_files_and_the_folders_they_lie_in(tmp_path: Path) -> None:
    entries = [folder("bin"), file("bin/a"), folder("lib"), file("lib/a.so"), file("lib/b.so"), file("setup.sh")]
    found = spooled(entries, {"bin/a": "a", "lib/a.so": "a", "lib/b.so": "b"}, tmp_path)
    assert found == {"a": ["bin", "bin/a", "lib", "lib/a.so"], "b": ["lib", "lib/b.so"], REST: ["setup.sh"]}


def test_folder_with_nothing_in_it_belongs_to_the_rest(tmp_path: Path) -> None:
    entries = [folder("a"), folder("a/empty"), file("a/x"), folder("b")]
    assert spooled(entries, {"a/x": "p"}, tmp_path) == {"p": ["a", "a/x"], REST: ["a", "a/empty", "b"]}


def test_name_between_a_folder_and_what_is_in_it_parts_nothing(tmp_path: Path) -> None:
    entries = [folder("a"), file("a-b"), file("a/x")]
    assert spooled(entries, {"a/x": "p", "a-b": "p"}, tmp_path) == {"p": ["a-b", "a", "a/x"]}


def test_entries_beyond_what_waits_in_memory_come_back_in_order(tmp_path: Path) -> None:
    entries = [file(f"f{number:05}") for number in range(2000)]
    owners = {one.path: f"p{number % 3}" for number, one in enumerate(entries)}
    found = spooled(entries, owners, tmp_path)
    assert sorted(path for paths in found.values() for path in paths) == [one.path for one in entries]
    assert all(paths == sorted(paths) for paths in found.values())


def test_file_without_its_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VerificationError) as caught:
        spooled([file("a/x")], {}, tmp_path)
    assert str(caught.value) == "the inventory lists what is in a, but not a"


def names(parts: tuple[cut.Part, ...]) -> list[tuple[str, ...]]:
    return [part.packages for part in parts]


def test_packages_keep_the_order_they_are_built_in(tmp_path: Path) -> None:
    found = cut.parts({"b": 1, "a": 2, "new": 3, REST: 4}, ["b", "a"], 99)
    assert names(found) == [("b",), ("a",), ("new",), (REST,)]


def test_of_too_many_packages_the_largest_have_layers_of_their_own() -> None:
    sizes = {f"p{number:03}": number for number in range(300)} | {REST: 1}
    found = cut.parts(sizes, sorted(sizes), 98)
    assert len(found) <= 98
    alone = {part.packages[0] for part in found if len(part.packages) == 1} - {REST}
    assert {f"p{number:03}" for number in range(219, 300)} <= alone


@given(st.sets(st.integers(0, 999), min_size=120, max_size=300), st.integers(1000, 2000))
def test_new_small_package_moves_no_other(numbers: set[int], new: int) -> None:
    sizes = {f"p{number:04}": 10 * number + 10 for number in numbers}
    before = cut.parts(sizes, (), 98)
    after = cut.parts({**sizes, f"p{new}": 1}, (), 98)
    kept = [tuple(name for name in part.packages if name != f"p{new}") for part in after]
    assert [group for group in kept if group] == names(before)


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.integers(0, 10**9), max_size=250), st.integers(18, 100))
def test_every_package_is_in_one_layer_and_there_is_room(sizes: dict[str, int], room: int) -> None:
    found = cut.parts(sizes, (), room)
    assert sorted(name for part in found for name in part.packages) == sorted(sizes)
    assert len(found) <= room


def test_too_little_room_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no cut into 17 layers"):
        cut.parts({}, (), 17)


def test_owners_are_read_from_the_records_in_order(tmp_path: Path) -> None:
    from tests.publishing.oci import ground

    ground.record(tmp_path, "b", ["bin/x", "share/ü"])
    ground.record(tmp_path, "a-c", ["bin/a", 'lib/\\"odd'])
    assert list(packages.owned(tmp_path)) == sorted(
        [
            (b"bin/x", "b"),
            ("share/ü".encode(), "b"),
            (b"conda-meta/b-2.4.1-h0_0.json", "b"),
            (b"bin/a", "a-c"),
            (b'lib/\\"odd', "a-c"),
            (b"conda-meta/a-c-2.4.1-h0_0.json", "a-c"),
        ]
    )
    assert packages.versions(tmp_path) == {"a-c": "2.4.1", "b": "2.4.1"}


def test_record_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "conda-meta" / "b-1-0.json"
    path.parent.mkdir()
    path.write_text('{\n "files": [\n  "b",\n  "a"\n ],\n')
    with pytest.raises(VerificationError) as caught:
        list(packages.owned(tmp_path))
    assert str(caught.value) == f"{path} does not list its files in order\n  hint: install the prefix again"
    path.write_text('{\n "files": [\n  "b\n')
    with pytest.raises(VerificationError) as caught:
        list(packages.owned(tmp_path))
    assert str(caught.value).startswith(f"{path} is not a package's record: ")


def test_spool_leaves_no_file(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as room, Spool(Path(room)) as into:
        into.add("p", file("a"))
        into.seal()
        assert list(Path(room).iterdir()) == []
