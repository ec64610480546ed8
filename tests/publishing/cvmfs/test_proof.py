"""Proving trees against their inventories, where they lie and where they are served."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from tests.publishing.cvmfs.ground import FQRN, MOUNT, Ground, plant, source

from lode import inventory
from lode.errors import UsageError, VerificationError
from lode.progress import Silent
from lode.publishing.cvmfs import cache, keys, proof, web
from lode.publishing.cvmfs.proof import Depth, Proved

OWN = ".lode/inventory.jsonl"
FILES: dict[str, bytes | str | None] = {
    "bin/tool": b"#!/bin/sh\n",
    "bin/link": "tool",
    "lib/python3/a.py": b"1\n",
    "lib/python3-x": b"between lib/python3 and what is in it",
    "lib/python3/deep/b.py": b"2\n",
    "big": bytes(range(256)) * 700,
    "empty": None,
}


def tree(folder: Path) -> Path:
    return plant(folder, {**FILES, "na\udcffme": b"not UTF-8"}, extra=250)


def mounted(root: Path, share: float = 1.0) -> Proved:
    depth = Depth(jobs=2, share=share, dice=random.Random(1))
    return proof.mounted(root, root / OWN, depth=depth, progress=Silent())


def served(ground: Ground, mount: str = MOUNT) -> tuple[Proved, str]:
    scratch = ground.folder.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    public = keys.read_public(ground.files)
    return proof.served(
        ground.stratum().storage, FQRN, public, mount, OWN, depth=Depth(jobs=2), progress=Silent(), scratch=scratch
    )


def test_tree_as_listed_is_proved_and_markers_do_not_count(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    for folder in (root, root / "lib/python3", root / "share"):
        (folder / ".cvmfscatalog").touch()  # as a client shows it
    found = mounted(root)
    listed = list(inventory.read(root / OWN))
    assert (found.entries, found.whole) == (len(listed), True)
    assert found.size == sum(entry.size for entry in listed if entry.type == "file")


def test_sample_reads_some_files_and_looks_at_all(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    found = mounted(root, share=0.2)
    assert not found.whole
    assert 10 < found.files < 120
    (root / "share/3/3.txt").unlink()
    with pytest.raises(VerificationError, match=r"share/3/3\.txt is missing"):
        mounted(root, share=0.0)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("content", "bin/tool has another content"),
        ("size", "bin/tool has 11 bytes, not 10"),
        ("mode", "bin/tool has the mode 0755, not 0644"),
        ("target", "bin/link points to other, not to tool"),
        ("type", "bin/link is a file, not a symlink"),
        ("missing", "lib/python3/deep/b.py is missing"),
        ("added", "lib/python3.py is not in the inventory"),
        ("marker", "lib/.cvmfscatalog is not in the inventory"),
    ],
)
def test_every_change_is_named(tmp_path: Path, spoil: str, message: str) -> None:
    root = tree(tmp_path / "tree")
    tool, link = root / "bin/tool", root / "bin/link"
    match spoil:
        case "content":
            tool.write_bytes(b"#!/bin/zh\n")
        case "size":
            tool.write_bytes(b"#!/bin/sh\n\n")
        case "mode":
            tool.chmod(0o755)
        case "target":
            link.unlink()
            link.symlink_to("other")
        case "type":
            link.unlink()
            link.write_bytes(b"tool")
        case "missing":
            (root / "lib/python3/deep/b.py").unlink()
        case "added":
            (root / "lib/python3.py").touch()
        case "marker":
            (root / "lib/.cvmfscatalog").write_bytes(b"not empty")
    with pytest.raises(VerificationError) as error:
        mounted(root)
    assert error.value.faults[0].message == f"the tree is not as listed: {message}"
    assert error.value.faults[-1].message == f"1 entries of {root} differ"


def test_served_tree_is_proved_from_the_public_key_to_every_byte(ground: Ground, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    ground.publish(source(root))
    found, digest = served(ground)
    assert digest == source(root).digest
    assert (found.entries, found.whole) == (len(list(inventory.read(root / OWN))), True)


def test_served_tree_of_another_inventory_is_refused(ground: Ground, tmp_path: Path) -> None:
    """The chain holds: whoever has the signing key published a tree beside its inventory."""
    root = plant(tmp_path / "tree", {"a": b"1", "b": b"2"})
    ground.publish(source(root))
    memory = cache.Cache(ground.cache_file)
    one, two = (next(iter(memory.contents("zlib:1:65536", [digest]).items())) for digest in _digests(root))
    memory.remember("zlib:1:65536", {one[0]: two[1]})  # a is stored as what is in b
    memory.close()
    other = MOUNT.replace("2026.11", "2026.12")
    ground.publish(source(root, other))
    assert served(ground)[0].whole
    with pytest.raises(VerificationError, match="a has another content"):
        served(ground, other)


def _digests(root: Path) -> list[str]:
    return [entry.content for entry in inventory.read(root / OWN) if entry.path in ("a", "b")]


def test_damaged_object_and_missing_tree_are_named(ground: Ground, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    ground.publish(source(root), tags={"one": ""})
    with pytest.raises(VerificationError) as error:
        served(ground, MOUNT.replace("2026.11", "2027.1"))
    assert error.value.faults[0].message == f"nothing is published at {MOUNT.replace('2026.11', '2027.1')} of {FQRN}"
    chunk = next(ground.folder.glob("data/??/*P"))
    chunk.write_bytes(os.urandom(50))
    with pytest.raises(VerificationError, match=r"big cannot be read: the object data/.*P is damaged"):
        served(ground)
    ground.publish(remove=[MOUNT])
    with pytest.raises(VerificationError, match="nothing is published at"):
        served(ground)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://s1.example.org/cvmfs/dance.example.org", ("dance.example.org", None)),
        ("http://127.0.0.1:8000/dance.example.org/", ("dance.example.org", None)),
        (
            "https://s1.example.org/cvmfs/dance.example.org/dance/2026.11/el9-x86_64",
            ("dance.example.org", "/dance/2026.11/el9-x86_64"),
        ),
    ],
)
def test_url_says_repository_and_tree(url: str, parts: tuple[str, str | None]) -> None:
    base, name, mount = web.split(url)
    assert (name, mount) == parts
    assert f"{base}{mount or ''}" == url.rstrip("/")


def test_url_of_no_repository_is_refused() -> None:
    for url in ("https://example.org", "https://s1.example.org/cvmfs/dance", "https://s1/cvmfs/a.b/dance"):
        with pytest.raises(UsageError, match="is not the URL of a repository or of a tree in one"):
            web.split(url)
