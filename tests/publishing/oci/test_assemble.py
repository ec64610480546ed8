from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.golden.check import same_as_golden
from tests.publishing.oci import ground
from tests.testing.factory import TARGET

from lode import digest as digests
from lode import inventory
from lode.errors import PublicationError, VerificationError
from lode.installing.prefix import Prefix
from lode.locking.graph import Lock
from lode.progress import Silent
from lode.publishing.oci import compression, image, store
from lode.publishing.oci.assemble import Image, assemble
from lode.publishing.oci.image import Base
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import oci

SCRATCH = Base()
AT = f"cvmfs/lode.example.org/mini/2026.11/{TARGET}"


def made(layout: Layout, prefix: Prefix, lock: Lock, base: Base = SCRATCH) -> Image:
    method = compression.method("gzip")
    return assemble(layout, prefix, lock, base=base, epoch_s=0, method=method, jobs=2, progress=Silent())


def test_image_holds_the_tree_at_the_path_it_is_made_for(tmp_path: Path) -> None:
    lock = ground.lock()
    prefix = ground.prefix(tmp_path / "prefix", lock)
    layout = Layout(tmp_path / "layout")
    whole = made(layout, prefix, lock)
    for one in whole.layers:
        ground.unpacked(layout, one.digest).extractall(tmp_path / "root", filter="fully_trusted")
    left = list(inventory.scan(prefix.root))
    assert list(inventory.scan(tmp_path / "root" / AT)) == left
    assert {path.name for path in (tmp_path / "root").iterdir()} == {"cvmfs", "dev", "proc", "sys", "tmp", "var"}


def test_each_package_has_a_layer_and_what_no_package_brought_is_the_last(tmp_path: Path) -> None:
    lock = ground.lock()
    whole = made(Layout(tmp_path / "layout"), ground.prefix(tmp_path / "prefix", lock), lock)
    assert [dict(one.annotations) for one in whole.layers] == [
        {},
        {"lode.packages": "nest 2.4.1"},
        {"lode.packages": "zlib 2.4.1"},
        {"lode.packages": "activation, tests, lock and inventory"},
    ]


def test_image_of_the_same_tree_is_the_same_elsewhere_and_with_another_number_of_jobs(tmp_path: Path) -> None:
    lock = ground.lock()
    one = made(Layout(tmp_path / "a"), ground.prefix(tmp_path / "here", lock), lock)
    prefix = ground.prefix(tmp_path / "far" / "away", lock)
    (prefix.root / "lib" / "libz.so.1").touch()
    method = compression.method("gzip")
    other = assemble(
        Layout(tmp_path / "b"), prefix, lock, base=SCRATCH, epoch_s=0, method=method, jobs=7, progress=Silent()
    )
    assert one.manifest == other.manifest


def test_documents_of_an_image_are_the_golden_ones(tmp_path: Path) -> None:
    lock = ground.lock()
    layout = Layout(tmp_path / "layout")
    whole = made(layout, ground.prefix(tmp_path / "prefix", lock), lock)
    config = store.parse(store.get_bytes(layout, whole.config), "config")
    index = image.index([(whole.manifest, whole.platform, TARGET)], {"a": "b"})
    for name, document in {"manifest": whole.manifest.document, "config": config, "index": index.document}.items():
        same_as_golden(f"publishing/oci/{name}.json", (json.dumps(document, indent=2) + "\n").encode())


def test_change_of_one_package_changes_its_layer_and_the_last(tmp_path: Path) -> None:
    lock = ground.lock()
    layout = Layout(tmp_path / "layout")
    before = made(layout, ground.prefix(tmp_path / "prefix", lock), lock)
    bumped = {**ground.PACKAGES, "nest": {"lib/libnest.so": b"N" * 5000}}
    shutil.rmtree(tmp_path / "prefix")
    after = made(layout, ground.prefix(tmp_path / "prefix", lock, bumped), lock)
    kept = {one.digest for one in before.layers} & {one.digest for one in after.layers}
    assert [one.annotations.get("lode.packages") for one in after.layers if one.digest not in kept] == [
        "nest 2.4.1",
        "activation, tests, lock and inventory",
    ]


def test_layers_that_are_there_are_not_written_again(tmp_path: Path) -> None:
    lock = ground.lock()
    layout = Layout(tmp_path / "layout")
    prefix = ground.prefix(tmp_path / "prefix", lock)
    first = made(layout, prefix, lock)
    assert first.written == sum(one.size for one in first.layers)
    again = made(layout, prefix, lock)
    assert (again.written, again.manifest) == (0, first.manifest)


def test_layer_that_is_lost_or_cut_is_written_again(tmp_path: Path) -> None:
    lock = ground.lock()
    layout = Layout(tmp_path / "layout")
    prefix = ground.prefix(tmp_path / "prefix", lock)
    first = made(layout, prefix, lock)
    layout.path(first.layers[1].digest).unlink()
    layout.path(first.layers[2].digest).write_bytes(b"cut")
    again = made(layout, prefix, lock)
    assert again.written == first.layers[1].size + first.layers[2].size
    assert b"".join(layout.get_blob(first.layers[2].digest))


def test_file_that_was_changed_after_the_installation_is_refused(tmp_path: Path) -> None:
    lock = ground.lock()
    prefix = ground.prefix(tmp_path / "prefix", lock)
    changed = prefix.root / "lib" / "libz.so.1"
    changed.write_bytes(b"Z" * 3000)
    layout = Layout(tmp_path / "layout")
    with pytest.raises(VerificationError) as caught:
        made(layout, prefix, lock)
    assert str(caught.value) == (
        f"{changed} is not what the inventory says: it was changed after it was installed\n"
        "  hint: install the prefix again"
    )
    assert layout.tags() == ()


def test_inventory_that_was_changed_is_refused(tmp_path: Path) -> None:
    lock = ground.lock()
    prefix = ground.prefix(tmp_path / "prefix", lock)
    file = prefix.root / ".lode" / "inventory.jsonl"
    file.write_bytes(file.read_bytes().replace(b"0644", b"0755", 1))
    with pytest.raises(VerificationError) as caught:
        made(Layout(tmp_path / "layout"), prefix, lock)
    assert str(caught.value) == (f"{file} is not the inventory {prefix.inventory}\n  hint: install the prefix again")


@pytest.mark.parametrize(
    ("name", "mode", "message"),
    [
        (
            "bin/.wh.nest",
            0o644,
            "no image can hold bin/.wh.nest: names that begin with .wh. mean a removal there\n"
            "  hint: remove it in the `finish` step of the recipe that brings it",
        ),
        (
            "bin/root",
            0o4755,
            "bin/root would run as another user (mode 4755): images hold no such programs\n"
            "  hint: remove the set-user-id or set-group-id bit",
        ),
    ],
)
def test_entry_that_means_something_else_in_an_image_is_refused(
    tmp_path: Path, name: str, mode: int, message: str
) -> None:
    lock = ground.lock()
    prefix = ground.prefix(tmp_path / "prefix", lock)
    ground.put(prefix.root / name, b"x")
    (prefix.root / name).chmod(mode)
    with pytest.raises(PublicationError) as caught:
        made(Layout(tmp_path / "layout"), ground.seal(prefix.root), lock)
    assert str(caught.value) == message


def test_image_on_a_base_has_its_layers_below_and_its_environment(tmp_path: Path) -> None:
    lock = ground.lock()
    layout = Layout(tmp_path / "layout")
    layer = store.put_bytes(layout, b"tar", store.LAYER_GZIP)
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/opt/bin", "LANG=C.UTF-8"], "Labels": {"a": "b"}},
        "rootfs": {"type": "layers", "diff_ids": [oci(digests.of_bytes(b"tar"))]},
    }
    config = store.put_bytes(layout, digests.canonical(document), store.CONFIG)
    manifest = store.manifest(
        {"schemaVersion": 2, "mediaType": store.MANIFEST, "config": config.document(), "layers": [layer.document()]}
    )
    base = image.read_base(manifest, store.get_bytes(layout, config), "debian")
    whole = made(layout, ground.prefix(tmp_path / "prefix", lock), lock, base)
    said = store.parse(store.get_bytes(layout, whole.config), "config")
    assert whole.manifest.document["layers"][0]["digest"] == oci(layer.digest)
    assert said["rootfs"]["diff_ids"][0] == oci(digests.of_bytes(b"tar"))
    assert f"PATH=/{AT}/bin:/opt/bin" in said["config"]["Env"]
    assert "LANG=C.UTF-8" in said["config"]["Env"]
    assert said["config"]["Labels"]["a"] == "b"
    assert said["config"]["Entrypoint"] == ["/bin/sh", "-c", f'. /{AT}/setup.sh && exec "$@"', "lode"]
    assert whole.manifest.document["annotations"]["org.opencontainers.image.base.digest"] == oci(manifest.digest)
