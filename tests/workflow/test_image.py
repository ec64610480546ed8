from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.publishing.oci import ground
from tests.testing.factory import TARGET, target

from lode.digest import Digest
from lode.errors import PublicationError, UsageError, VerificationError
from lode.locking import lockfile
from lode.locking.graph import Lock
from lode.progress import Silent
from lode.publishing.oci import store
from lode.publishing.oci.layout import Layout
from lode.workflow import deliver
from lode.workflow.image import Images, Making, make_images

OTHER = "debian13-x86_64"


def two_targets() -> Lock:
    lock = ground.lock()
    nodes = tuple(
        dataclasses.replace(one, targets=(TARGET, OTHER), hashes={**one.hashes, OTHER: one.hashes[TARGET]})
        for one in lock.nodes
    )
    targets = (target(), target(OTHER))
    return lockfile.seal(dataclasses.replace(lock, nodes=nodes, targets=targets))


def test_release_has_an_image_for_each_group_and_target_and_indexes_over_them(tmp_path: Path) -> None:
    lock = ground.lock()
    whole = ground.prefix(tmp_path / "whole", lock)
    base = ground.prefix(tmp_path / "base", lock, {"zlib": ground.PACKAGES["zlib"]}, group="base")
    made = make_images(lock, [whole, base], tmp_path / "images", progress=Silent())
    assert [one.tag for one in made.images] == [f"2026.11-{TARGET}", f"2026.11-base-{TARGET}"]
    assert [(one.tag, one.targets) for one in made.indexes] == [("2026.11", (TARGET,)), ("2026.11-base", (TARGET,))]
    layout = Layout(tmp_path / "images")
    assert layout.tags() == ("2026.11", "2026.11-base", f"2026.11-base-{TARGET}", f"2026.11-{TARGET}")
    index = layout.get_manifest("2026.11")
    assert index is not None
    assert [one.digest for one in index.manifests()] == [made.images[0].manifest.digest]


def test_image_of_a_group_shares_the_layers_of_its_packages(tmp_path: Path) -> None:
    lock = ground.lock()
    whole = ground.prefix(tmp_path / "whole", lock)
    base = ground.prefix(tmp_path / "base", lock, {"zlib": ground.PACKAGES["zlib"]}, group="base")
    made = make_images(lock, [whole, base], tmp_path / "images", progress=Silent())
    layers = [{blob.digest for blob in one.manifest.blobs()} for one in made.images]
    assert len(layers[0] & layers[1]) == 2  # folders and zlib


def test_second_call_writes_nothing_and_gives_the_same(tmp_path: Path) -> None:
    lock = ground.lock()
    whole = ground.prefix(tmp_path / "whole", lock)
    first = make_images(lock, [whole], tmp_path / "images", progress=Silent())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "images" / "blobs").rglob("*")}
    second = make_images(lock, [whole], tmp_path / "images", progress=Silent())
    assert [one.manifest for one in second.indexes] == [one.manifest for one in first.indexes]
    assert [one.written for one in second.images] == [0]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "images" / "blobs").rglob("*")} == before


def images_of(lock: Lock, folder: Path, name: str) -> Images:
    root = folder / name
    prefix = ground.prefix(root, lock)
    record = root / ".lode" / "prefix.json"
    record.write_text(record.read_text().replace(TARGET, name))
    return make_images(lock, [ground.seal(prefix.root)], folder / "images", progress=Silent())


def test_index_keeps_the_targets_that_were_made_before(tmp_path: Path) -> None:
    lock = two_targets()
    later = images_of(lock, tmp_path, OTHER)
    assert later.indexes[0].targets == (OTHER,)
    both = images_of(lock, tmp_path, TARGET)
    assert both.indexes[0].targets == (TARGET, OTHER)
    assert [one.annotations["lode.target"] for one in both.indexes[0].manifest.manifests()] == [TARGET, OTHER]


def test_prefix_of_another_lock_is_refused(tmp_path: Path) -> None:
    lock = ground.lock()
    prefix = dataclasses.replace(ground.prefix(tmp_path / "whole", lock), lock_digest=Digest("0" * 64))
    with pytest.raises(PublicationError) as caught:
        make_images(lock, [prefix], tmp_path / "images", progress=Silent())
    assert str(caught.value) == (
        f"the prefix at {prefix.root} is of the lock {'0' * 64}, not of {lock.digest}\n  hint: release the stack again"
    )


def test_base_that_is_none_is_refused(tmp_path: Path) -> None:
    lock = ground.lock()
    prefix = ground.prefix(tmp_path / "whole", lock)
    with pytest.raises(UsageError) as caught:
        make_images(lock, [prefix], tmp_path / "images", making=Making(base="/no/such"), progress=Silent())
    assert str(caught.value) == (
        "/no/such is no base for an image\n"
        "  hint: name a root file system's folder, an OCI layout, docker://IMAGE, or `scratch`"
    )


def test_base_may_be_a_root_file_system_or_an_image_made_before(tmp_path: Path) -> None:
    lock = ground.lock()
    prefix = ground.prefix(tmp_path / "whole", lock)
    root = tmp_path / "root"
    for folder in ("etc", "bin", "proc"):
        (root / folder).mkdir(parents=True)
    ground.put(root / "bin" / "su", b"#!/bin/sh\n", executable=True)
    (root / "bin" / "su").chmod(0o4755)
    (root / "proc" / "1").touch()
    first = make_images(lock, [prefix], tmp_path / "images", making=Making(base=str(root)), progress=Silent())
    blobs = first.images[0].manifest.blobs()
    members = ground.unpacked(Layout(tmp_path / "images"), blobs[1].digest).getmembers()
    assert [(one.name, one.mode) for one in members] == [("bin", 0o755), ("bin/su", 0o755), ("etc", 0o755)]
    on_image = Making(base=f"{tmp_path / 'images'}:2026.11")
    second = make_images(lock, [prefix], tmp_path / "more", making=on_image, progress=Silent())
    assert second.images[0].manifest.blobs()[1:6] == blobs[1:6]


def test_image_that_names_another_inventory_is_refused(tmp_path: Path) -> None:
    lock = ground.lock()
    made = make_images(lock, [ground.prefix(tmp_path / "whole", lock)], tmp_path / "images", progress=Silent())
    images = [one.manifest for one in made.images]
    deliver.check(made.layout, images, jobs=2, progress=Silent())
    document = images[0].document
    document["annotations"]["lode.inventory"] = f"sha256:{'0' * 64}"
    other = store.manifest(document)
    with pytest.raises(VerificationError) as caught:
        deliver.check(made.layout, [other], jobs=2, progress=Silent())
    assert str(caught.value) == (
        f"the image sha256:{other.digest} says that it holds the tree sha256:{'0' * 64},"
        f" and holds sha256:{made.images[0].inventory}"
    )
