"""Trees as tar files for `ingest`, and as bundles with all that their taker needs."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest
from tests.publishing.cvmfs.ground import MOUNT, MTIME, REPOSITORY, plant, seal, source

from lode.errors import PublicationError
from lode.progress import Silent
from lode.publishing.cvmfs import bundle, tarball


def tree(folder: Path) -> Path:
    files: dict[str, bytes | str | None] = {
        "bin/tool": b"#!/bin/sh\n",
        "bin/link": "tool",
        "empty": None,
        "none": b"",
        "lib/python3/a.py": b"1\n",
        "na\udcffme": b"not UTF-8",
        "long/" + "x" * 200: b"a long name",
    }
    root = plant(folder, files, extra=150)
    (root / "bin/tool").chmod(0o755)
    os.link(root / "bin/tool", root / "bin/twin")
    seal(root)
    return root


def packed(root: Path) -> bytes:
    out = io.BytesIO()
    tarball.write(source(root), REPOSITORY.nesting, out, progress=Silent())
    return out.getvalue()


def test_tar_file_holds_the_tree_and_marks_its_catalogs(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    with tarfile.open(fileobj=io.BytesIO(packed(root))) as tar:
        members = {member.name: member for member in tar.getmembers()}
        content = tar.extractfile("bin/twin")
        assert content is not None
        assert content.read() == b"#!/bin/sh\n"
    there = {os.fsencode(path.relative_to(root)) for path in root.rglob("*")}
    markers = {name for name in members if name.endswith(".cvmfscatalog")}
    assert markers == {".cvmfscatalog", "lib/python3/.cvmfscatalog", "share/.cvmfscatalog"}
    assert {os.fsencode(name) for name in members} - {name.encode() for name in markers} == there
    names = list(members)
    assert all(name.rpartition("/")[0] in ("", *names[: names.index(name)]) for name in names)
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, MTIME)}
    assert (members["bin/tool"].mode, members["bin/link"].linkname) == (0o755, "tool")


def test_file_that_changed_stops_the_packing(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    for content in (b"#!/bin/zh\n", b"#!/bin", b"#!/bin/sh\nmore"):
        (root / "bin/tool").write_bytes(content)
        with pytest.raises(PublicationError, match=r"^bin/tool is not the file of the tree's inventory"):
            packed(root)


def make(root: Path, file: Path, signature: bytes | None = b"{}") -> bundle.Bundle:
    return bundle.write(source(root), REPOSITORY, file, plan="a plan\n", signature=signature, progress=Silent())


def test_bundle_holds_all_that_its_taker_needs(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    made = make(root, tmp_path / "out" / "bundle.tar")
    with tarfile.open(made.file) as tar:
        held = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    sums = dict(reversed(line.split("  ")) for line in held.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in held.items()}
    assert set(held) == {"README.md", "cvmfsdirtab", "inventory.jsonl", "plan.txt", "prefix.dsse", "tree.tar"}
    assert held["tree.tar"] == packed(root)
    assert held["cvmfsdirtab"] == b"/mini\n/mini/*/*\n"
    assert hashlib.sha256(held["inventory.jsonl"]).hexdigest() == source(root).digest
    text = held["README.md"].decode()
    command = f"cvmfs_server ingest --tar_file tree.tar --base_dir {MOUNT[1:]} {REPOSITORY.name}"
    assert command in text
    assert source(root).digest in text
    assert "There is no signature" not in text
    assert "There is no signature" in _readme(make(root, tmp_path / "plain.tar", None).file)


def _readme(file: Path) -> str:
    with tarfile.open(file) as tar:
        content = tar.extractfile("README.md")
        assert content is not None
        return content.read().decode()


def test_same_tree_gives_the_same_bundle(tmp_path: Path) -> None:
    one = make(tree(tmp_path / "1"), tmp_path / "1.tar")
    other = tmp_path / "2"
    shutil.copytree(tmp_path / "1", other, symlinks=True)
    assert make(other, tmp_path / "2.tar").digest == one.digest


def test_bundle_that_failed_leaves_the_old_one(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    file = tmp_path / "bundle.tar"
    file.write_bytes(b"old")
    (root / "bin/tool").write_bytes(b"changed")
    with pytest.raises(PublicationError):
        make(root, file)
    assert file.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle.tar", "tree"]
