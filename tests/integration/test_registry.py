"""Pushing to and pulling from a real registry: whole, resumed, mounted, nothing twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.integration.engines import LocalRegistry
from tests.publishing.oci.test_layout import blob, image

from lode.progress import Silent
from lode.publishing.oci import copy, reference, store
from lode.publishing.oci.auth import Authorizer
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.notes import Notes
from lode.publishing.oci.registry import Registry
from lode.publishing.oci.store import OciStore, oci
from lode.publishing.oci.transport import Transport
from lode.workflow.deliver import carry

pytestmark = pytest.mark.integration


def repository(registry: LocalRegistry, name: str, *, notes: Notes | None = None, chunk: int = 1 << 20) -> Registry:
    transport = Transport(reference.parse(f"{registry.host}/{name}"), Authorizer(None))
    return Registry(transport, notes=notes, chunk=chunk)


@pytest.fixture(params=["layout", "registry"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> OciStore:
    if request.param == "layout":
        return Layout(tmp_path / "layout")
    registry: LocalRegistry = request.getfixturevalue("registry")
    return repository(registry, f"contract/{tmp_path.name.replace('[', '-').strip(']').lower()}")


def test_store_gives_back_what_it_was_given(any_store: OciStore) -> None:
    content = os.urandom(3_000_000)
    put = blob(content)
    assert not any_store.has_blob(put.digest)
    assert any_store.put_blob(put, lambda offset: iter([content[offset:]])) is True
    assert any_store.put_blob(put, lambda offset: iter([content[offset:]])) is False
    assert b"".join(any_store.get_blob(put.digest)) == content
    assert b"".join(any_store.get_blob(put.digest, 2_999_990)) == content[-10:]


def test_store_knows_manifests_tags_and_referrers(any_store: OciStore, tmp_path: Path) -> None:
    subject = image(any_store, "subject")
    any_store.put_manifest(subject, "1.0")
    signature = image(any_store, "signature", subject, "application/x-signature")
    document = image(any_store, "document", subject, "application/x-sbom")
    any_store.put_manifest(signature)
    any_store.put_manifest(document)
    assert any_store.get_manifest("1.0") == subject
    assert any_store.get_manifest(oci(signature.digest)) == signature
    assert any_store.get_manifest("no-such") is None
    assert {one.digest for one in any_store.referrers(subject.digest)} == {signature.digest, document.digest}
    assert [one.digest for one in any_store.referrers(subject.digest, "application/x-sbom")] == [document.digest]
    assert "1.0" in any_store.tags()


def test_pushed_image_is_pulled_as_it_was(registry: LocalRegistry, tmp_path: Path) -> None:
    here, there = Layout(tmp_path / "here"), repository(registry, "copy/whole")
    one = image(here, "x" * 3_000_000)
    here.put_manifest(one)
    index = store.manifest({"schemaVersion": 2, "mediaType": store.INDEX, "manifests": [one.descriptor.document()]})
    here.put_manifest(index, "1.0")
    sent = copy.copy(here, there, [("1.0", "2.0")], jobs=2, progress=Silent(), task="push")
    assert (sent.blobs, sent.moved) == (2, 2)
    back = Layout(tmp_path / "back")
    copy.copy(there, back, [("2.0", "2.0")], jobs=2, progress=Silent(), task="pull")
    assert back.get_manifest("2.0") == index
    assert store.get_bytes(back, one.blobs()[1]) == b"x" * 3_000_000


def test_second_push_moves_only_what_is_new(registry: LocalRegistry, tmp_path: Path) -> None:
    here, there = Layout(tmp_path / "here"), repository(registry, "copy/twice")
    here.put_manifest(image(here, "a" * 1000), "1.0")
    here.put_manifest(image(here, "b" * 500), "2.0")
    copy.copy(here, there, [("1.0", "1.0")], jobs=2, progress=Silent(), task="push")
    assert copy.copy(here, there, [("1.0", "1.0")], jobs=2, progress=Silent(), task="push").moved == 0
    assert copy.copy(here, there, [("2.0", "2.0")], jobs=2, progress=Silent(), task="push").moved_bytes == 500


def test_blob_of_another_repository_is_mounted_and_not_sent(registry: LocalRegistry, tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes")
    content = os.urandom(100_000)
    first, second = (repository(registry, f"mount/{name}", notes=notes) for name in ("a", "b"))
    assert first.put_blob(blob(content), lambda offset: iter([content[offset:]])) is True

    def refused(offset: int) -> None:
        raise AssertionError("the blob was asked for")

    assert second.put_blob(blob(content), refused) is False  # type: ignore[arg-type]
    assert b"".join(second.get_blob(blob(content).digest)) == content


def test_upload_that_was_broken_off_is_gone_on_with(registry: LocalRegistry, tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes")
    content = os.urandom(5_000_000)
    asked: list[int] = []

    def breaking(offset: int):  # type: ignore[no-untyped-def]
        asked.append(offset)
        if offset >= 2 << 20 and len(asked) == 3:
            raise KeyboardInterrupt
        yield content[offset:]

    with pytest.raises(KeyboardInterrupt):
        repository(registry, "resume/a", notes=notes).put_blob(blob(content), breaking)
    later = repository(registry, "resume/a", notes=notes)
    assert later.put_blob(blob(content), breaking) is True
    assert asked == [0, 1 << 20, 2 << 20, 2 << 20, 3 << 20, 4 << 20]
    assert b"".join(later.get_blob(blob(content).digest)) == content


def test_what_is_attached_to_an_image_goes_with_it(registry: LocalRegistry, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "here")
    subject = image(layout, "subject")
    layout.put_manifest(subject, "1.0")
    layout.put_manifest(image(layout, "document", subject, "application/x-sbom"))
    there = repository(registry, "copy/attached")
    copied = copy.copy(layout, there, [("1.0", "1.0")], jobs=2, progress=Silent(), task="push")
    carry(layout, there, copied)
    back = Layout(tmp_path / "back")
    copied = copy.copy(there, back, [("1.0", "1.0")], jobs=2, progress=Silent(), task="pull")
    carry(there, back, copied)
    assert back.referrers(subject.digest) == layout.referrers(subject.digest) != ()
