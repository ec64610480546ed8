"""Making a tree canonical: clobbering, records, byte code, modes and times."""

from __future__ import annotations

import importlib.util
import json
import os
import py_compile
from pathlib import Path

import pytest

from lode.errors import BuildError
from lode.installing import canonical
from lode.installing.canonical import Owner


def owner(package: str, *paths: str) -> Owner:
    return Owner(package=package, version="1.0", paths=tuple(sorted(paths)))


def test_a_path_of_two_packages_is_refused_with_both() -> None:
    with pytest.raises(BuildError) as caught:
        canonical.refuse_clobbering((owner("a", "lib/x", "share/y"), owner("b", "lib/x"), owner("c", "share/y/z")))
    assert str(caught.value) == (
        "lib/x comes from both a and b\n"
        "  hint: remove it in the `finish` step of one of the two recipes, a or b\n"
        "share/y comes from both a and c\n"
        "  hint: remove it in the `finish` step of one of the two recipes, a or c"
    )


def test_packages_may_share_folders() -> None:
    canonical.refuse_clobbering((owner("a", "lib/x", "lib/a.d/y"), owner("b", "lib/z", "lib/a.d/z")))


def write_record(root: Path, **changes: object) -> Path:
    path = root / "conda-meta/zlib-1.3.1-h1.json"
    path.parent.mkdir(parents=True)
    document = {
        "name": "zlib", "version": "1.3.1", "build": "h1", "build_number": 0, "subdir": "linux-64", "depends": [],
        "fn": "zlib-1.3.1-h1.conda", "url": "file:///home/me/zlib-1.3.1-h1.conda", "channel": "file:///home/me",
        "md5": "aa", "sha256": "bb", "size": 4, "timestamp": 1767225600000, "requested_specs": [],
        "extracted_package_dir": "/home/me/pkgs/zlib", "link": {"source": "/home/me/pkgs/zlib", "type": 1},
        "files": ["lib/z", "lib/a"],
        "paths_data": {"paths_version": 1, "paths": [
            {"_path": "lib/z", "path_type": "hardlink", "sha256": "cc", "size_in_bytes": 1,
             "prefix_placeholder": "/lode/build/placehold", "file_mode": "text", "sha256_in_prefix": "dd"},
            {"_path": "lib/a", "path_type": "softlink", "sha256": "ee", "size_in_bytes": 1},
        ]},
        **changes,
    }  # fmt: skip
    path.write_text(json.dumps(document))
    return path


def test_records_say_what_is_installed_and_nothing_of_the_machine(tmp_path: Path) -> None:
    path = write_record(tmp_path)
    (tmp_path / "CACHEDIR.TAG").write_text("Signature")
    canonical.make_records_canonical(tmp_path)
    assert json.loads(path.read_text()) == {
        "build": "h1",
        "build_number": 0,
        "channel": "file:///channel",
        "depends": [],
        "files": ["lib/a", "lib/z"],
        "fn": "zlib-1.3.1-h1.conda",
        "name": "zlib",
        "paths_data": {
            "paths": [{"_path": "lib/a", "path_type": "softlink"}, {"_path": "lib/z", "path_type": "hardlink"}],
            "paths_version": 1,
        },
        "subdir": "linux-64",
        "url": "file:///channel/zlib-1.3.1-h1.conda",
        "version": "1.3.1",
    }
    assert not (tmp_path / "CACHEDIR.TAG").exists()
    first = path.read_bytes()
    canonical.make_records_canonical(tmp_path)
    assert path.read_bytes() == first


def test_a_canonical_record_is_still_one_that_rattler_reads(tmp_path: Path) -> None:
    from rattler import PrefixRecord

    path = write_record(tmp_path, md5=None, sha256=None)
    canonical.make_records_canonical(tmp_path)
    record = PrefixRecord.from_path(path)
    assert (record.name.normalized, str(record.version)) == ("zlib", "1.3.1")


def test_owners_are_read_with_the_paths_that_packages_name(tmp_path: Path) -> None:
    moved = {"_path": "__clobbers__/zlib/lib/z", "original_path": "lib/z", "path_type": "hardlink"}
    write_record(tmp_path, paths_data={"paths_version": 1, "paths": [moved]})
    assert canonical.owners(tmp_path) == (Owner(package="zlib", version="1.3.1", paths=("lib/z",)),)


def compiled(root: Path, mode: py_compile.PycInvalidationMode, source: str = "x = 1\n") -> Path:
    (root / "lib/__pycache__").mkdir(parents=True)
    module = root / "lib/module.py"
    module.write_text(source)
    cache = importlib.util.cache_from_source(str(module))
    py_compile.compile(str(module), cfile=cache, invalidation_mode=mode)
    return Path(cache)


def refusal(root: Path) -> list[str]:
    with pytest.raises(BuildError) as caught:
        canonical.make_bytecode_canonical(root)
    return [fault.message for fault in caught.value.faults]


def test_unchecked_byte_code_stays_as_it_is(tmp_path: Path) -> None:
    path = compiled(tmp_path, py_compile.PycInvalidationMode.UNCHECKED_HASH)
    before = path.read_bytes()
    canonical.make_bytecode_canonical(tmp_path)
    assert path.read_bytes() == before


def test_checked_byte_code_becomes_unchecked(tmp_path: Path) -> None:
    path = compiled(tmp_path, py_compile.PycInvalidationMode.CHECKED_HASH)
    canonical.make_bytecode_canonical(tmp_path)
    checked = path.read_bytes()
    py_compile.compile(
        str(tmp_path / "lib/module.py"),
        cfile=str(path),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    assert checked == path.read_bytes()


def test_byte_code_that_is_checked_by_time_is_refused(tmp_path: Path) -> None:
    path = compiled(tmp_path, py_compile.PycInvalidationMode.TIMESTAMP)
    assert refusal(tmp_path) == [f"{path.relative_to(tmp_path)} is checked by the time of its source"]


def test_byte_code_of_a_source_that_was_rewritten_is_refused(tmp_path: Path) -> None:
    path = compiled(tmp_path, py_compile.PycInvalidationMode.UNCHECKED_HASH, "prefix = '/placeholder'\n")
    (tmp_path / "lib/module.py").write_text("prefix = '/cvmfs/x'\n")
    assert refusal(tmp_path) == [f"{path.relative_to(tmp_path)} was not compiled from the source beside it"]


def test_byte_code_without_its_source_is_accepted(tmp_path: Path) -> None:
    compiled(tmp_path, py_compile.PycInvalidationMode.UNCHECKED_HASH)
    (tmp_path / "lib/module.py").unlink()
    canonical.make_bytecode_canonical(tmp_path)


def test_cut_byte_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pyc").write_bytes(b"abc")
    assert refusal(tmp_path) == ["x.pyc is cut short"]


def test_modes_are_those_of_programs_and_of_files(tmp_path: Path) -> None:
    for name, mode in (("plain", 0o600), ("program", 0o4711), ("open", 0o666), ("folder", 0o700)):
        path = tmp_path / name
        if name == "folder":
            path.mkdir()
        else:
            path.touch()
        path.chmod(mode)
    (tmp_path / "link").symlink_to("/etc/shadow")
    tmp_path.chmod(0o700)
    canonical.make_modes_canonical(tmp_path)
    modes = {path.name: path.lstat().st_mode & 0o7777 for path in [tmp_path, *tmp_path.iterdir()]}
    assert modes == {
        tmp_path.name: 0o755,
        "plain": 0o644,
        "program": 0o755,
        "open": 0o644,
        "folder": 0o755,
        "link": 0o777,
    }


def test_a_fifo_in_a_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "run/pipe")
    with pytest.raises(BuildError, match="run/pipe is neither file, folder nor link"):
        canonical.make_modes_canonical(tmp_path)


def test_all_times_are_that_of_the_release(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").touch()
    (tmp_path / "link").symlink_to("nothing")
    canonical.make_times_canonical(tmp_path, 1_793_491_200)
    assert {path.lstat().st_mtime for path in (tmp_path, *tmp_path.rglob("*"))} == {1_793_491_200.0}
