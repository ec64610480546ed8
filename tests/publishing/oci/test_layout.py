from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lode import digest as digests
from lode.digest import Digest
from lode.errors import HostError, VerificationError
from lode.publishing.oci import store
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import Descriptor, Manifest, oci


def blob(content: bytes) -> Descriptor:
    return Descriptor(media_type="text/plain", digest=digests.of_bytes(content), size=len(content))


def image(layout: Layout, text: str, subject: Manifest | None = None, artifact_type: str | None = None) -> Manifest:
    config = store.put_bytes(layout, store.EMPTY_CONTENT, store.EMPTY)
    layer = store.put_bytes(layout, text.encode(), "text/plain")
    document = {
        "schemaVersion": 2,
        "mediaType": store.MANIFEST,
        "config": config.document(),
        "layers": [layer.document()],
    }
    if subject is not None:
        document["subject"] = subject.descriptor.document()
    if artifact_type is not None:
        document["artifactType"] = artifact_type
    return store.manifest(document)


def test_blob_comes_back_as_it_was_put(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    put = store.put_bytes(layout, b"some bytes", "text/plain")
    assert layout.has_blob(put.digest)
    assert store.get_bytes(layout, put) == b"some bytes"
    assert b"".join(layout.get_blob(put.digest, 5)) == b"bytes"


def test_blob_that_is_there_is_not_asked_for(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    put = store.put_bytes(layout, b"x", "text/plain")

    def refused(offset: int) -> Iterator[bytes]:
        raise AssertionError

    assert layout.put_blob(put, refused) is False


def test_blob_of_other_bytes_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    wanted = blob(b"promised")
    with pytest.raises(VerificationError) as caught:
        layout.put_blob(wanted, lambda offset: iter([b"tampered"]))
    assert str(caught.value) == (
        f"what came as {oci(wanted.digest)} of 8 bytes is something else\n"
        "  hint: where it came from is damaged, or lies; nothing of it was kept"
    )
    assert not layout.has_blob(wanted.digest)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_blob_that_does_not_end_is_cut_off(tmp_path: Path) -> None:
    def endless(offset: int) -> Iterator[bytes]:
        while True:
            yield bytes(1000)

    with pytest.raises(VerificationError):
        Layout(tmp_path).put_blob(blob(b"short"), endless)


def test_blob_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    layout, content = Layout(tmp_path), os.urandom(3000)
    asked: list[int] = []

    def breaking(offset: int) -> Iterator[bytes]:
        asked.append(offset)
        yield content[offset : offset + 1000]
        if offset < 2000:
            raise HostError("the connection was lost")

    for _ in range(2):
        with pytest.raises(HostError):
            layout.put_blob(blob(content), breaking)
    assert layout.put_blob(blob(content), breaking) is True
    assert asked == [0, 1000, 2000]
    assert b"".join(layout.get_blob(digests.of_bytes(content))) == content


def test_damaged_beginning_of_a_blob_is_thrown_away(tmp_path: Path) -> None:
    layout, content = Layout(tmp_path), b"the whole content"
    part = tmp_path / ".partial" / blob(content).digest
    part.parent.mkdir()
    part.write_bytes(b"THE wh")
    layout.put_blob(blob(content), lambda offset: iter([content[offset:]]))
    assert b"".join(layout.get_blob(digests.of_bytes(content))) == content


def test_damaged_blob_is_named_when_it_is_read(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    put = store.put_bytes(layout, b"right", "text/plain")
    layout.path(put.digest).write_bytes(b"wrong")
    with pytest.raises(VerificationError) as caught:
        store.get_bytes(layout, put)
    assert str(caught.value) == (
        f"{layout.path(put.digest)} is damaged: its sha256 is {digests.of_bytes(b'wrong')}\n"
        "  hint: make or pull it again"
    )


def test_blob_that_is_missing_is_named(tmp_path: Path) -> None:
    missing = Digest("0" * 64)
    with pytest.raises(VerificationError) as caught:
        list(Layout(tmp_path).get_blob(missing))
    assert str(caught.value) == f"{tmp_path} does not hold {oci(missing)}"


def test_new_blob_gets_its_place_when_committed_and_leaves_nothing_otherwise(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with layout.new_blob() as one:
        one.write(b"ab")
        one.write(b"c")
        one.commit(digests.of_bytes(b"abc"))
    with layout.new_blob() as other:
        other.write(b"never finished")
    assert b"".join(layout.get_blob(digests.of_bytes(b"abc"))) == b"abc"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [digests.of_bytes(b"abc")]


def test_sweeping_removes_what_a_killed_call_left_and_not_what_is_being_written(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    left = tmp_path / ".partial" / "new-0123"
    left.parent.mkdir()
    left.write_bytes(b"half a layer")
    with layout.new_blob() as one:
        one.write(b"ab")
        layout.sweep()
        one.commit(digests.of_bytes(b"ab"))
    assert not left.exists()
    assert layout.has_blob(digests.of_bytes(b"ab"))


def test_manifest_is_found_by_tag_and_by_digest(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    made = image(layout, "one")
    layout.put_manifest(made, "1.0")
    assert layout.get_manifest("1.0") == made
    assert layout.get_manifest(oci(made.digest)) == made
    assert layout.get_manifest("2.0") is None
    assert layout.get_manifest(oci(Digest("0" * 64))) is None
    assert layout.tags() == ("1.0",)


def test_tag_moves_to_the_manifest_put_last(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    first, second = image(layout, "one"), image(layout, "two")
    layout.put_manifest(first, "latest")
    layout.put_manifest(first, "1.0")
    layout.put_manifest(second, "latest")
    assert layout.get_manifest("latest") == second
    assert layout.get_manifest("1.0") == first
    assert layout.tags() == ("1.0", "latest")


def test_index_of_the_layout_is_what_the_specification_says(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    made = image(layout, "one")
    layout.put_manifest(made, "1.0")
    assert json.loads((tmp_path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert json.loads((tmp_path / "index.json").read_bytes()) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": oci(made.digest),
                "size": len(made.content),
                "annotations": {"org.opencontainers.image.ref.name": "1.0"},
            }
        ],
    }


def test_referrers_are_those_with_the_subject_and_those_of_the_fallback_tag(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    subject, other = image(layout, "subject"), image(layout, "other")
    layout.put_manifest(subject, "1.0")
    layout.put_manifest(other, "2.0")
    signature = image(layout, "signature", subject, "application/x-signature")
    document = image(layout, "document", subject, "application/x-sbom")
    elsewhere = image(layout, "signature", other, "application/x-signature")
    layout.put_manifest(signature)
    layout.put_manifest(elsewhere)
    fallback = store.manifest(
        {"schemaVersion": 2, "mediaType": store.INDEX, "manifests": [store.referrer(document).document()]}
    )
    layout.put_manifest(document)
    layout.put_manifest(fallback, store.fallback_tag(subject.digest))
    assert {one.digest for one in layout.referrers(subject.digest)} == {signature.digest, document.digest}
    assert [one.digest for one in layout.referrers(subject.digest, "application/x-sbom")] == [document.digest]
    assert layout.referrers(elsewhere.digest) == ()
    assert layout.tags() == ("1.0", "2.0", f"sha256-{subject.digest}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[", "is not JSON: Expecting value: line 1 column 2 (char 1)"),
        (b"[]", "is not a JSON object"),
        (b'{"manifests": 3}', "has manifests that are no list"),
        (b'{"manifests": [{}]}', "has a descriptor without a sha256 digest: None"),
        (b'{"manifests": ["x"]}', "has a descriptor that is no JSON object"),
    ],
)
def test_index_that_is_damaged_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(VerificationError) as caught:
        Layout(tmp_path).tags()
    what = "manifest" if "JSON" in message and "descriptor" not in message else "index"
    assert str(caught.value) == f"the {what} {oci(digests.of_bytes(content))} {message}"


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError) as caught:
        store.put_bytes(Layout(tmp_path / "file"), b"x", "text/plain")
    assert str(caught.value) == (
        f"nothing can be written to {tmp_path / 'file'}: Not a directory\n"
        "  hint: make space there, or name another folder"
    )


@given(st.binary(max_size=200), st.lists(st.integers(1, 50), max_size=10))
def test_pieces_of_any_length_make_the_same_blob(content: bytes, lengths: list[int]) -> None:
    import tempfile

    def pieces(offset: int) -> Iterator[bytes]:
        for length in lengths:
            yield content[offset : offset + length]
            offset += length
        yield content[offset:]

    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        layout.put_blob(blob(content), pieces)
        assert b"".join(layout.get_blob(digests.of_bytes(content))) == content


@pytest.mark.integration
def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from lode.publishing.oci import store; "
        "from lode.publishing.oci.layout import Layout\n"
        "layout = Layout(Path(sys.argv[1]))\n"
        "for number in range(20):\n"
        "    store.put_bytes(layout, b'%d' % number * 100000, 'text/plain')\n"
        '    content = (\'{"mediaType":"m","n":"%s-%d"}\' % (sys.argv[2], number)).encode()\n'
        "    layout.put_manifest(store.of_bytes(content, 'm'), f'{sys.argv[2]}-{number}')\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name]) for name in ("a", "b")]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    assert len(Layout(tmp_path).tags()) == 40
    assert not (tmp_path / ".partial").exists()
