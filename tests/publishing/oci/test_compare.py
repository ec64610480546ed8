from __future__ import annotations

import dataclasses
import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.publishing.oci import ground
from tests.publishing.oci.test_assemble import AT, made

from lode import digest as digests
from lode.errors import VerificationError
from lode.progress import Silent
from lode.publishing.oci import store
from lode.publishing.oci.assemble import Image
from lode.publishing.oci.compare import Compared, compare
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import Manifest, oci

Change = Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


@pytest.fixture
def image(tmp_path: Path, layout: Layout) -> Image:
    lock = ground.lock()
    return made(layout, ground.prefix(tmp_path / "prefix", lock), lock)


def compared(layout: Layout, manifest: Manifest) -> Compared:
    return compare(layout, manifest, scratch=layout.root, jobs=2, progress=Silent())


def with_layer(layout: Layout, image: Image, number: int, change: Change) -> Manifest:
    """Return the image with its layer `number` packed again after `change` to its members."""
    with ground.unpacked(layout, image.layers[number].digest) as tar:
        members = [(one, file.read() if (file := tar.extractfile(one)) else b"") for one in tar.getmembers()]
    change(members)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for one, content in members:
            one.size = len(content) if one.isfile() else 0
            tar.addfile(one, io.BytesIO(content))
    blob = store.put_bytes(layout, gzip.compress(packed.getvalue()), store.LAYER_GZIP)
    document = image.manifest.document
    document["layers"][number] = blob.document()
    return store.manifest(document)


def test_image_is_what_its_inventory_lists(layout: Layout, image: Image) -> None:
    assert compared(layout, image.manifest).inventory == image.prefix.inventory


def test_image_packed_by_another_tool_is_read(layout: Layout, image: Image) -> None:
    again = with_layer(layout, image, 1, lambda members: None)
    assert compared(layout, again).inventory == image.prefix.inventory


def changed(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    place = next(number for number, (one, _) in enumerate(members) if one.name.endswith("libnest.so"))
    members[place] = (members[place][0], b"m" * 5000)


def renamed(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    next(one for one, _ in members if one.name.endswith("libnest.so")).name = f"{AT}/lib/other.so"


def writable(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    next(one for one, _ in members if one.name.endswith("libnest.so")).mode = 0o666


def doubled(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    place = next(number for number, (one, _) in enumerate(members) if one.name.endswith("libnest.so"))
    members.insert(place, members[place])


def device(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    one = tarfile.TarInfo(f"{AT}/null")
    one.type = tarfile.CHRTYPE
    members.append((one, b""))


def whiteout(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    members.append((tarfile.TarInfo(f"{AT}/lib/.wh.libz.so.1"), b""))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed, "lib/libnest.so in the image is not what its inventory says (content)"),
        (
            renamed,
            "the image lacks lib/libnest.so, which its inventory lists\n"
            "the image has lib/other.so, which its inventory does not list",
        ),
        (writable, "lib/libnest.so in the image is not what its inventory says (mode)"),
        (doubled, "the image has lib/libnest.so twice"),
        (device, "the image has null, which is neither file, folder nor link"),
    ],
)
def test_layer_that_was_changed_is_refused(layout: Layout, image: Image, change: Change, message: str) -> None:
    with pytest.raises(VerificationError) as caught:
        compared(layout, with_layer(layout, image, 1, change))
    assert str(caught.value) == message


def test_layer_that_takes_something_away_is_refused(layout: Layout, image: Image) -> None:
    again = with_layer(layout, image, 1, whiteout)
    with pytest.raises(VerificationError) as caught:
        compared(layout, again)
    layer = again.blobs()[2]
    assert str(caught.value) == f"the layer {oci(layer.digest)} takes {AT}/lib/.wh.libz.so.1 away"


def test_inventory_that_was_changed_along_with_a_file_has_another_digest(layout: Layout, image: Image) -> None:
    def edited(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        place = next(number for number, (one, _) in enumerate(members) if one.name.endswith("inventory.jsonl"))
        old, new = digests.of_bytes(b"n" * 5000), digests.of_bytes(b"m" * 5000)
        members[place] = (members[place][0], members[place][1].replace(old.encode(), new.encode()))

    first = with_layer(layout, image, 1, changed)
    both = with_layer(layout, dataclasses.replace(image, manifest=first), 3, edited)
    assert compared(layout, both).inventory != image.prefix.inventory


def test_every_flipped_byte_of_a_layer_is_refused(layout: Layout, image: Image) -> None:
    path = layout.path(image.layers[1].digest)
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(VerificationError):
            compared(layout, image.manifest)


def test_image_of_something_else_is_refused(layout: Layout) -> None:
    config = store.put_bytes(layout, b"{}", store.CONFIG)
    other = store.manifest({"schemaVersion": 2, "mediaType": store.MANIFEST, "config": config.document(), "layers": []})
    with pytest.raises(VerificationError) as caught:
        compared(layout, other)
    assert str(caught.value) == f"{oci(other.digest)} does not say where its tree lies: it is no image of a release"
