from __future__ import annotations

from pathlib import Path

import pytest
from tests.building.factory import artifact, graph, node

from lode.building.cache import Cache, Unreachable
from lode.digest import Digest
from lode.publishing.oci.artifacts import ARTIFACT_TYPE, ArtifactStore
from lode.publishing.oci.layout import Layout

ZLIB = graph(node("zlib"))["zlib"]
HASH = next(iter(ZLIB.hashes.values()))


def test_a_node_built_on_one_machine_is_found_on_another(tmp_path: Path) -> None:
    store = ArtifactStore(Layout(tmp_path / "layout"), "registry.example.org/cache")
    Cache(tmp_path / "here", behind=store).put(artifact(ZLIB, tmp_path / "work"))
    there = Cache(tmp_path / "there", behind=store)
    assert there.get(Digest("0" * 64)) is None
    found = there.get(HASH)
    assert found is not None
    assert found.path.is_relative_to(tmp_path / "there")


def test_a_node_is_an_artifact_whose_tag_is_its_hash(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    Cache(tmp_path / "here", behind=ArtifactStore(layout, "x")).put(artifact(ZLIB, tmp_path / "work"))
    assert layout.tags() == (HASH,)
    manifest = layout.get_manifest(HASH)
    assert manifest is not None
    assert manifest.document["artifactType"] == ARTIFACT_TYPE
    assert manifest.document["annotations"] == {"org.opencontainers.image.title": "zlib 1.0"}


def test_keys_of_no_cache_are_neither_there_nor_kept(tmp_path: Path) -> None:
    store = ArtifactStore(Layout(tmp_path / "layout"), "x")
    (tmp_path / "file").write_bytes(b"x")
    store.put("../../etc/passwd", tmp_path / "file")
    assert not store.has("../../etc/passwd")
    assert not store.get("../../etc/passwd", tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_a_repository_that_is_damaged_is_told_apart_from_one_that_has_nothing(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    store = ArtifactStore(layout, "registry.example.org/cache")
    Cache(tmp_path / "here", behind=store).put(artifact(ZLIB, tmp_path / "work"))
    manifest = layout.get_manifest(HASH)
    assert manifest is not None
    entry = manifest.blobs()[1].digest
    (blob,) = (tmp_path / "layout").rglob(str(entry))
    blob.chmod(0o644)
    blob.write_bytes(b"other bytes")
    with pytest.raises(Unreachable) as refused:
        store.get(f"nodes/{HASH[:2]}/{HASH}.json", tmp_path / "got")
    assert str(refused.value).startswith("the store registry.example.org/cache does not answer: ")
