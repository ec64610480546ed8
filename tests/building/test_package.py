from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import zstandard

from lode import inventory
from lode.building import package
from lode.building.package import Package

FILES: dict[str, tuple[bytes, int] | str] = {
    "bin/tool": (b"#!/bin/sh\n", 0o755),
    "lib/libz.so.1": (b"library", 0o644),
    "lib/libz.so": "libz.so.1",
    "share/ä": (b"", 0o600),
    "share/deep/" + "x" * 150: (b"long", 0o4755),
}
INDEX = {"name": "zlib", "version": "1", "build": "h_0", "depends": ["b", "a"], "timestamp": 1}


def tar(members: dict[str, tuple[bytes, int] | str], *, mtime: int, names: list[str]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name in names:
            content = members[name]
            member = tarfile.TarInfo(name)
            member.mtime, member.uid, member.uname = mtime, mtime % 1000, "joe"
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.mode, member.size = content[1], len(content[0])
                archive.addfile(member, io.BytesIO(content[0]))
    return zstandard.compress(raw.getvalue(), 1)


def built(path: Path, *, seed: int, index: dict[str, Any] = INDEX) -> Path:
    """Write a package as rattler-build would at another time, with other luck."""
    chance = random.Random(seed)
    order = list(FILES)
    chance.shuffle(order)
    depends = list(index["depends"])
    chance.shuffle(depends)
    paths = [{"_path": name, "path_type": "hardlink"} for name in order]
    about = {"channels": [f"file:///{seed}"], "extra": {"lode": {"node": "1"}}}
    information: dict[str, tuple[bytes, int] | str] = {
        "info/index.json": (json.dumps({**index, "depends": depends, "timestamp": seed}).encode(), 0o644),
        "info/about.json": (json.dumps(about).encode(), 0o644),
        "info/paths.json": (json.dumps({"paths": paths, "paths_version": 1}).encode(), 0o644),
        "info/hash_input.json": (b"{}", 0o644),
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", b'{"conda_pkg_format_version": 2}')
        archive.writestr("info-zlib-1-h_0.tar.zst", tar(information, mtime=seed, names=list(information)))
        archive.writestr("pkg-zlib-1-h_0.tar.zst", tar(FILES, mtime=seed, names=order))
    return path


def canonical(source: Path) -> tuple[Package, bytes]:
    destination = source.with_suffix(".made")
    made = package.canonical(source, destination, glibc="2.36", libstdcxx="3.4.30")
    return made, destination.read_bytes()


def members(content: bytes, part: str) -> dict[str, tarfile.TarInfo]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        raw = zstandard.ZstdDecompressor().stream_reader(archive.read(f"{part}-zlib-1-h_0.tar.zst")).read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as unpacked:
        return {member.name: member for member in unpacked}


def test_time_and_chance_leave_no_trace(tmp_path: Path) -> None:
    first, content = canonical(built(tmp_path / "a.conda", seed=1_700_000_000))
    second, again = canonical(built(tmp_path / "b.conda", seed=1_800_000_001))
    assert content == again
    assert first == second
    assert first.sha256 == hashlib.sha256(content).hexdigest()
    assert first.size_bytes == len(content)


def test_canonical_twice_is_canonical_once(tmp_path: Path) -> None:
    _, content = canonical(built(tmp_path / "a.conda", seed=5))
    (tmp_path / "b.conda").write_bytes(content)
    assert canonical(tmp_path / "b.conda")[1] == content


def test_members_are_sorted_with_plain_owners_modes_and_one_time(tmp_path: Path) -> None:
    _, content = canonical(built(tmp_path / "a.conda", seed=5))
    found = members(content, "pkg")
    assert list(found) == sorted(FILES, key=str.encode)
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in found.values()} == {(package.EPOCH, 0, 0, "", "")}
    assert {name: m.mode for name, m in found.items()} == {
        "bin/tool": 0o755,
        "lib/libz.so": 0o777,
        "lib/libz.so.1": 0o644,
        "share/deep/" + "x" * 150: 0o755,
        "share/ä": 0o644,
    }


def test_the_index_has_no_time_and_sorted_dependencies(tmp_path: Path) -> None:
    made, content = canonical(built(tmp_path / "a.conda", seed=5))
    assert made.index == {"name": "zlib", "version": "1", "build": "h_0", "depends": ["a", "b"]}
    assert list(members(content, "info")) == [
        "info/about.json",
        "info/hash_input.json",
        "info/index.json",
        "info/paths.json",
    ]


def test_the_inventory_is_that_of_the_unpacked_tree(tmp_path: Path) -> None:
    made, _ = canonical(built(tmp_path / "a.conda", seed=5))
    tree = tmp_path / "tree"
    for name, content in FILES.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content[0])
            path.chmod(0o755 if content[1] & 0o111 else 0o644)
    for folder in [path for path in tree.rglob("*") if path.is_dir() and not path.is_symlink()]:
        folder.chmod(0o755)
    assert made.inventory == inventory.digest(inventory.scan(tree))


def test_repodata_is_what_rattler_reads() -> None:
    content = package.repodata("linux-64", {"a-1-h_0.conda": ({"name": "a", "depends": []}, "0" * 64, 12)})  # type: ignore[dict-item]
    assert json.loads(content) == {
        "info": {"subdir": "linux-64"},
        "packages": {},
        "packages.conda": {"a-1-h_0.conda": {"name": "a", "depends": [], "sha256": "0" * 64, "size": 12}},
        "repodata_version": 1,
    }
