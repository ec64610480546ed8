"""A release is signed whole, its images too, and no byte of it can change unnoticed."""

from __future__ import annotations

import contextlib
import datetime
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.signing.factory import TODAY, policy, signer
from tests.testing.factory import TARGET
from tests.workflow import released

from lode import digest as digests
from lode.definitions.trust import Minimum, TrustPolicy
from lode.digest import Digest
from lode.errors import TrustError, UsageError, VerificationError
from lode.progress import Silent
from lode.publishing.oci import attach
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import MANIFESTS, oci, of_bytes, put_bytes
from lode.signing import cosign
from lode.signing.claim import Kind
from lode.workflow import signing, subjects, trust
from lode.workflow.trust import Request, Verified

NOW = datetime.datetime(2026, 11, 25, 10, tzinfo=datetime.UTC)
KINDS = ("urn:lode:claim:1", "https://cyclonedx.org/bom", "https://spdx.dev/Document", "https://slsa.dev/provenance/v1",
         "https://in-toto.io/attestation/test-result/v0.1")  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = released.release(tmp_path_factory.mktemp("signed") / "release")
    signing.sign_release(folder, [signer("one")], now=NOW)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "release"))


def verify(subject: Path | str, by: TrustPolicy | None = None, **named: object) -> Verified:
    kind = subjects.kind_of(str(subject), Path("/none"))
    request = Request(kind=kind, subject=str(subject), policy=by or policy("one"), today=TODAY, progress=Silent(),
                      releases=Path("/none"), **named)  # type: ignore[arg-type]  # fmt: skip
    return trust.VERIFIERS[kind](request)


def test_everything_of_a_release_is_signed(made: Path) -> None:
    found = verify(made)
    assert found.kind is Kind.RELEASE
    text = "\n".join(found.checked)
    for kind in KINDS[1:]:
        assert f"{kind}, by one" in text
    assert text.count("image sha256:") == 2  # the image and the index of it


def test_second_call_signs_nothing_again(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    later = NOW + datetime.timedelta(days=1)
    again = signing.sign_release(folder, [signer("one")], now=later)
    assert [image.written for image in again.images] == [0, 0, 0]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_second_key_signs_the_same_statements(folder: Path) -> None:
    both = policy("one", "two", threshold=2)
    with pytest.raises(TrustError, match="must be signed by 2 of one, two; it is signed by one"):
        verify(folder / "images", both)
    signing.sign_release(folder, [signer("two")], now=NOW + datetime.timedelta(days=1))
    assert verify(folder, both).accepted.signers == ("one", "two")
    assert verify(folder / "images", both).accepted.signers == ("one", "two")


def test_one_image_of_a_layout_is_verified_by_its_tag(made: Path) -> None:
    tag = f"{released.LOCK.release}-{TARGET}"
    found = verify(f"{made}/images:{tag}")
    assert found.accepted.claim.target == TARGET
    with pytest.raises(VerificationError, match="there is no image none"):
        verify(f"{made}/images:none")
    with pytest.raises(VerificationError, match="was signed as stack 'mini', not 'other'"):
        verify(f"{made}/images:{tag}", stack="other")


def test_image_of_an_old_release_is_refused(made: Path) -> None:
    trusted = policy("one", minimum={"mini": Minimum(release="2026.12")})
    with pytest.raises(TrustError, match=r"mini 2026\.11 \(1\) is older than 2026\.12 \(1\)"):
        verify(made / "images", trusted)


def test_tree_of_a_signed_image_is_compared_with_its_inventory_on_demand(tmp_path: Path) -> None:
    """The one who signed an image was wrong about what is in it: no byte of it changed since."""
    folder = released.release(tmp_path / "r")
    layout = released.layout(folder)
    _, image = attach.manifests(layout, released.LOCK.release)
    true = dict(image.document["annotations"])
    other = {**image.document, "annotations": {**true, "lode.inventory": f"sha256:{'0' * 64}"}}
    layout.put_manifest(of_bytes(digests.canonical(other), image.media_type), "other")
    signing.sign_images(str(folder / "images"), [signer("one")], now=NOW)
    found = verify(f"{folder}/images:{released.LOCK.release}", tree=True)
    assert [each.endswith(", its tree as its inventory lists it") for each in found.checked] == [False, True]
    verify(f"{folder}/images:other")
    with pytest.raises(VerificationError) as caught:
        verify(f"{folder}/images:other", tree=True)
    assert caught.value.faults[0].message.endswith(
        f" says that it holds the tree sha256:{'0' * 64}, and holds {true['lode.inventory']}"
    )


def test_unsigned_image_is_refused(tmp_path: Path) -> None:
    folder = released.release(tmp_path / "r")
    with pytest.raises(VerificationError, match="is not signed"):
        verify(folder / "images")
    signing.sign_images(str(folder / "images"), [signer("other")], now=NOW)
    with pytest.raises(TrustError, match="does not know the key"):
        verify(folder / "images")


def test_image_signed_only_as_cosign_does_is_accepted_by_its_labels(tmp_path: Path) -> None:
    folder = released.release(tmp_path / "r")
    layout = released.layout(folder)
    index, image = attach.manifests(layout, released.LOCK.release)
    attach.sign(layout, index, reference="registry.example.org/mini:2026.11", signer=signer("one"), created="")
    attach.sign(layout, image, reference="registry.example.org/mini", signer=signer("one"), created="")
    found = verify(f"{folder}/images:{released.LOCK.release}")
    assert (found.accepted.claim.stack, found.accepted.claim.release) == ("mini", "2026.11")
    with pytest.raises(TrustError, match="is older than"):
        verify(f"{folder}/images:{released.LOCK.release}", policy("one", minimum={"mini": Minimum(release="2027.1")}))


def test_signature_of_another_image_does_not_serve(tmp_path: Path) -> None:
    folder = released.release(tmp_path / "r")
    layout = released.layout(folder)
    index, image = attach.manifests(layout, released.LOCK.release)
    attach.sign(layout, image, reference="mini", signer=signer("one"), created="")
    other = layout.get_manifest(f"sha256-{image.digest}.sig")
    assert other is not None
    layout.put_manifest(other, f"sha256-{index.digest}.sig")
    with pytest.raises(VerificationError, match="the signature by the key one is of another image"):
        verify(f"{folder}/images:{released.LOCK.release}")


def test_bundle_with_a_certificate_is_passed_over(folder: Path) -> None:
    """Others may attest with what Lode does not read; it counts for nothing and spoils nothing."""
    layout = released.layout(folder)
    _, image = attach.manifests(layout, released.LOCK.release)
    document = json.loads(cosign.bundle(cosign.image_statement(image.digest), signer("other")))
    document["verificationMaterial"] = {"certificate": {"rawBytes": "AAAA"}, "tlogEntries": []}
    subject = cosign.Described(media_type=image.media_type, digest=image.digest, size=len(image.content))
    made = cosign.referrer(json.dumps(document).encode(), cosign.SIGNED_IMAGE, subject, "2026-11-25T00:00:00Z")
    for media_type, content in made.blobs:
        put_bytes(layout, content, media_type)
    layout.put_manifest(of_bytes(made.manifest, cosign.MANIFEST))
    assert verify(folder / "images").accepted.signers == ("one",)


def test_carried_image_brings_its_signatures(made: Path, tmp_path: Path) -> None:
    here, there = released.layout(made), Layout(tmp_path / "there")
    from lode.publishing.oci.copy import copy

    tag = released.LOCK.release
    copy(here, there, [(tag, tag)], jobs=1, progress=Silent(), task="copy")
    signing.sign_image(there, tag, name=f"mini:{tag}", signers=[signer("two")], now=NOW)
    written = sum(attach.carry(here, there, each.digest) for each in attach.manifests(here, tag))
    assert written > 0
    assert sum(attach.carry(here, there, each.digest) for each in attach.manifests(here, tag)) == 0
    assert verify(tmp_path / "there").accepted.signers == ("one",)
    assert verify(tmp_path / "there", policy("two")).accepted.signers == ("two",)


def reached(layout: Layout) -> set[Digest]:
    """Return the digests of all that the layout's index leads to; others are what an earlier signature left."""
    found: set[Digest] = set()
    waiting = list(layout.listed())
    while waiting:
        one = waiting.pop()
        found.add(one.digest)
        if one.media_type in MANIFESTS and (made := layout.get_manifest(oci(one.digest))) is not None:
            found |= {blob.digest for blob in made.blobs()}
            waiting += made.manifests()
    return found


def changed(layout: Layout) -> Iterator[tuple[Path, int, bytes]]:
    """Yield files of a signed layout with one byte changed, at many places of its index and some of all others."""
    index = layout.root / "index.json"
    for path in (index, layout.root / "oci-layout", *(layout.path(one) for one in sorted(reached(layout)))):
        content = path.read_bytes()
        for at in range(0, len(content), 5 if path == index else max(1, len(content) // 4)):
            yield path, at, content[:at] + bytes([content[at] ^ (0x01 if at % 2 else 0x20)]) + content[at + 1 :]


def test_every_changed_byte_of_a_layout_is_refused(folder: Path) -> None:
    """Of blobs, manifests, indexes, signatures, attestations, and of the index of the folder itself."""
    layout = folder / "images"
    assert verify(layout).accepted.signers == ("one",)
    tried = 0
    for path, at, content in changed(Layout(layout)):
        before = path.read_bytes()
        path.write_bytes(content)
        with contextlib.suppress(VerificationError):
            verify(layout)
            raise AssertionError(
                f"{path.relative_to(layout)} is accepted with a change at {at}: {content[at - 30 : at + 30]!r}"
            )
        path.write_bytes(before)
        tried += 1
    assert tried > 500
    assert verify(layout).accepted.signers == ("one",)


def test_index_of_a_layout_that_lost_its_signatures_is_refused(folder: Path) -> None:
    file = folder / "images/index.json"
    document = json.loads(file.read_bytes())
    document["manifests"] = [each for each in document["manifests"] if "artifactType" not in each]
    document["manifests"] = [each for each in document["manifests"] if "sha256-" not in str(each)]
    file.write_text(json.dumps(document))
    with pytest.raises(VerificationError, match="is not signed"):
        verify(folder / "images")


def test_image_under_another_tag_than_it_was_signed_as_is_refused(folder: Path) -> None:
    layout = released.layout(folder)
    file = folder / "images/index.json"
    file.write_text(file.read_text().replace('ref.name":"2026.11"', 'ref.name":"2026.12"'))
    (index, _) = attach.manifests(layout, "2026.12")
    with pytest.raises(VerificationError) as caught:
        verify(folder / "images")
    assert str(caught.value) == f"{folder}/images calls {oci(index.digest)} 2026.12; it was signed as 2026.11"


@pytest.mark.parametrize("file", ["provenance.json.dsse", "sbom.cdx.json.dsse", "tests.json.dsse", "prefix.dsse"])
def test_altered_statement_about_a_tree_is_refused(folder: Path, file: str) -> None:
    path = folder / TARGET / file
    content = path.read_bytes()
    at = len(content) // 2
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with pytest.raises(VerificationError):
        verify(folder if file != "prefix.dsse" else folder / TARGET / "prefix")


def test_layout_without_images_of_lode_is_not_signed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no image layout"):
        signing.sign_images(str(tmp_path), [signer("one")], now=NOW)
