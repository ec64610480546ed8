from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from lode.errors import UsageError, VerificationError
from lode.progress import Silent
from lode.publishing.oci import store
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import Manifest, oci
from lode.publishing.oci.unpack import unpack

Members = dict[str, bytes | str | None]  # content of a file, target of a link, None for a folder


def image(layout: Layout, *layers: Members) -> Manifest:
    blobs = [store.put_bytes(layout, gzip.compress(packed(one)), store.LAYER_GZIP).document() for one in layers]
    config = store.put_bytes(layout, b"{}", store.CONFIG)
    return store.manifest(
        {"schemaVersion": 2, "mediaType": store.MANIFEST, "config": config.document(), "layers": blobs}
    )


def packed(members: Members) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.mode = 0o755
            if content is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def found(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_later_layers_lie_over_earlier_ones(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    made = image(layout, {"a": None, "a/x": b"old", "a/y": b"kept"}, {"a": None, "a/x": b"new"})
    unpack(layout, made, tmp_path / "root", progress=Silent())
    assert found(tmp_path / "root") == {"a/x": "new", "a/y": "kept"}


def test_whiteouts_take_away_what_is_below(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    made = image(
        layout,
        {"a": None, "a/x": b"1", "a/y": b"2", "b": None, "b/x": b"3"},
        {"a/.wh.x": b"", "b/.wh..wh..opq": b"", "b/y": b"4"},
    )
    unpack(layout, made, tmp_path / "root", progress=Silent())
    assert found(tmp_path / "root") == {"a/y": "2", "b/y": "4"}


@pytest.mark.parametrize(
    "members",
    [
        {"../out": b"x"},
        {"link": "/tmp", "link/lode-out": b"x"},
        {"link": "..", "link/out": b"x"},
        {"link": "..", "link/.wh.layout": b""},
    ],
)
def test_member_that_would_lie_outside_is_refused(tmp_path: Path, members: Members) -> None:
    layout = Layout(tmp_path / "layout")
    made = image(layout, members)
    with pytest.raises(VerificationError) as caught:
        unpack(layout, made, tmp_path / "root", progress=Silent())
    assert str(caught.value).startswith(f"a layer of {oci(made.digest)} cannot be unpacked: ")
    assert layout.root.is_dir()
    assert not (tmp_path / "root").exists()
    assert not (tmp_path / "out").exists()


def test_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "thesis.tex").touch()
    with pytest.raises(UsageError) as caught:
        unpack(layout, image(layout), tmp_path / "root", progress=Silent())
    assert str(caught.value) == (
        f"{tmp_path / 'root'} is there and is not empty\n  hint: name a folder that is not there yet"
    )


def test_layer_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    whole = gzip.compress(packed({"a": b"x" * 100_000}))
    blob = store.put_bytes(layout, whole[: len(whole) // 2], store.LAYER_GZIP)
    document = {"schemaVersion": 2, "mediaType": store.MANIFEST, "layers": [blob.document()]}
    with pytest.raises(VerificationError):
        unpack(layout, store.manifest(document), tmp_path / "root", progress=Silent())


def test_layer_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    blob = store.put_bytes(layout, b"x", "application/x.layer.v1.tar+lzip")
    document = {"schemaVersion": 2, "mediaType": store.MANIFEST, "layers": [blob.document()]}
    with pytest.raises(VerificationError) as caught:
        unpack(layout, store.manifest(document), tmp_path / "root", progress=Silent())
    assert str(caught.value) == (
        f"the layer {oci(blob.digest)} is of the kind application/x.layer.v1.tar+lzip, which is not known here"
    )
