"""Locks, prefixes, releases, bundles and policies are signed beside themselves, and no change of them is accepted."""

from __future__ import annotations

import datetime
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.describing.factory import mini, records, report_of
from tests.signing.factory import TODAY, flips, policy, public, signer
from tests.testing.factory import TARGET, whole

from lode import digest, inventory
from lode.building.artifact import Artifact
from lode.definitions.trust import TrustPolicy
from lode.errors import HostError, TrustError, UsageError, VerificationError
from lode.installing import prefix as prefixes
from lode.locking import lockfile
from lode.progress import face
from lode.signing import cosign
from lode.signing.claim import Kind
from lode.workflow import report as releases
from lode.workflow import signatures, subjects, trust
from lode.workflow.trust import Request, Verified

NOW = datetime.datetime(2026, 11, 25, 10, tzinfo=datetime.UTC)
LOCKED = whole(mini())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a release folder: lock, prefix with an inventory, build records, test reports, page and index."""
    folder = tmp_path_factory.mktemp("release")
    (folder / "lode.lock").write_bytes(lockfile.dump(LOCKED))
    root = folder / TARGET / "prefix"
    (root / "bin").mkdir(parents=True)
    (root / "bin/tool").write_text("#!/bin/sh\n")
    (root / ".lode").mkdir()
    (root / prefixes.RECORD).write_bytes(prefixes.record(LOCKED, TARGET, None, LOCKED.final_path(TARGET), ()))
    inventory.write(inventory.scan(root), folder / "inventory")
    (folder / "inventory").rename(root / prefixes.INVENTORY)
    artifacts = [
        Artifact(
            package=each.package,
            version=each.version,
            target=TARGET,
            node_hash=each.node_hash,
            path=Path("/cache/x.conda"),
            sha256=each.sha256,
            inventory=each.inventory,
            record=each.record,
        )
        for each in records(LOCKED)
    ]
    releases.save_builds(folder, TARGET, artifacts)
    releases.save_tests(folder, report_of(LOCKED))
    releases.write_report(folder)
    for what in (folder, root, folder / "lode.lock"):
        sign(what)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return a signed release folder that a test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "release"))


def sign(path: Path, *keys: str, stack: str | None = None, sequence: int | None = None) -> signatures.Signed:
    subject = subjects.subject_of(subjects.kind_of(str(path), Path("/none")), str(path), Path("/none"))
    claim = signatures.read_claim(subject, stack=stack, now=NOW)
    for key in keys or ("one",):
        made = signatures.sign(subject, claim, signer(key), sequence=sequence)
    return made


def verify(path: Path, by: TrustPolicy | None = None) -> Verified:
    kind = subjects.kind_of(str(path), Path("/none"))
    request = Request(
        kind=kind,
        subject=str(path),
        policy=by or policy("one"),
        today=TODAY,
        progress=face(io.StringIO(), terminal=False, quiet=True),
        releases=Path("/none"),
    )
    return trust.VERIFIERS[kind](request)


def test_signed_release_is_accepted(folder: Path) -> None:
    found = verify(folder)
    assert (found.kind, found.accepted.claim.stack, found.accepted.signers) == (Kind.RELEASE, "dance-mini", ("one",))
    listed = json.loads((folder / "index.json").read_bytes())["files"]
    assert found.checked == (f"{len(listed)} files", f"every file of the tree of {TARGET}")
    assert not [name for name in listed if name.endswith(".dsse")]


def test_signed_lock_and_prefix_are_accepted(folder: Path) -> None:
    assert verify(folder / "lode.lock").accepted.claim.lock == LOCKED.digest
    assert verify(folder / TARGET / "prefix").accepted.claim.target == TARGET


def test_release_without_its_trees_is_accepted_and_says_so(folder: Path) -> None:
    shutil.rmtree(folder / TARGET / "prefix")
    assert f"the tree of {TARGET} is not here" in verify(folder).checked


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("lode.lock", "this file is not the one in the signed index"),
        (f"{TARGET}/tests.json", "this file is not the one in the signed index"),
        ("report.html", "this file is not the one in the signed index"),
    ],
)
def test_changed_file_of_a_release_is_named(folder: Path, file: str, message: str) -> None:
    with (folder / file).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(VerificationError) as caught:
        verify(folder)
    assert str(caught.value) == f"{folder / file}: {message}"


def test_added_and_missing_files_of_a_release_are_named(folder: Path) -> None:
    (folder / "report.html").rename(folder / "other.html")
    with pytest.raises(VerificationError) as caught:
        verify(folder)
    assert str(caught.value).split("\n") == [
        f"{folder}/other.html: this file is not in the signed index",
        f"{folder}/report.html: this file of the signed index is missing",
    ]


@pytest.mark.parametrize("subject", ["release", "prefix"])
def test_changed_file_of_a_tree_is_named(folder: Path, subject: str) -> None:
    (folder / TARGET / "prefix/bin/tool").write_text("#!/bin/sj\n")
    with pytest.raises(VerificationError) as caught:
        verify(folder if subject == "release" else folder / TARGET / "prefix")
    assert "the tree is not as listed: changed  bin/tool (content)" in str(caught.value)


def test_tree_of_another_release_is_refused(folder: Path) -> None:
    """Its inventory agrees with its files, but is not the one in the index."""
    root = folder / TARGET / "prefix"
    (root / "bin/tool").write_text("#!/bin/sj\n")
    inventory.write(inventory.scan(root, exclude=(prefixes.INVENTORY,)), root / prefixes.INVENTORY)
    with pytest.raises(VerificationError) as caught:
        verify(folder)
    assert str(caught.value) == f"{root} is not the tree of the signed release: its inventory differs"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_changed_byte_of_a_signed_document_is_accepted(made: Path, tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["lode.lock", "lode.lock.dsse"]))
    for each in ("lode.lock", "lode.lock.dsse"):
        shutil.copyfile(made / each, tmp_path / each)
    content = bytearray((made / name).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VerificationError):
        verify(tmp_path / "lode.lock")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.data())
def test_no_changed_byte_of_an_index_or_inventory_is_accepted(
    made: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("changed") / "release"))
    name = data.draw(st.sampled_from(["index.json", "index.json.dsse", f"{TARGET}/prefix/{prefixes.INVENTORY}"]))
    content = bytearray((made / name).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(content)
    with pytest.raises(VerificationError):
        verify(folder)
    shutil.rmtree(folder)


def test_unsigned_lock_is_not_accepted(folder: Path) -> None:
    (folder / "lode.lock.dsse").unlink()
    with pytest.raises(VerificationError) as caught:
        verify(folder / "lode.lock")
    assert str(caught.value) == (
        f"{folder}/lode.lock is not signed\n  hint: `lode sign` signs it; its signature lies beside it"
    )


def test_signature_of_a_lock_does_not_serve_a_bundle(folder: Path) -> None:
    shutil.copyfile(folder / "lode.lock", folder / "bundle.tar")
    shutil.copyfile(folder / "lode.lock.dsse", folder / "bundle.tar.dsse")
    with pytest.raises(VerificationError, match=r"what was signed is a lock, not the bundle"):
        verify(folder / "bundle.tar")


def test_second_key_joins_the_first_one(tmp_path: Path) -> None:
    (tmp_path / "lode.lock").write_bytes(lockfile.dump(LOCKED))
    sign(tmp_path / "lode.lock", "one")
    both = policy("one", "two", threshold=2)
    with pytest.raises(TrustError):
        verify(tmp_path / "lode.lock", both)
    assert sign(tmp_path / "lode.lock", "two").keys == tuple(sorted(public(key).fingerprint for key in ("one", "two")))
    assert verify(tmp_path / "lode.lock", both).accepted.signers == ("one", "two")


def test_other_bytes_of_a_release_are_its_next_try(tmp_path: Path) -> None:
    bundle = tmp_path / "dance.tar"
    bundle.write_bytes(b"first")
    assert sign(bundle, stack="dance@2026.11").claim.sequence == 1
    assert sign(bundle, stack="dance@2026.11").claim.sequence == 1
    bundle.write_bytes(b"second")
    assert sign(bundle, stack="dance@2026.11").claim.sequence == 2
    assert sign(bundle, stack="dance@2026.11", sequence=7).claim.sequence == 7
    assert sign(bundle, stack="dance@2026.12").claim.sequence == 1


def test_bundle_says_what_it_belongs_to(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"nothing in .*x\.tar says what it belongs to"):
        sign(tmp_path / "x.tar")


def write_policy(path: Path) -> None:
    lines = public("one").pem.decode().replace("\n", "\n      ")
    path.write_text(f"name: dance\nexpires: 2027-11-25\nkeys:\n  one:\n    public: |\n      {lines}\nrules: []\n")


def test_every_changed_byte_of_a_policy_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "trust.yaml"
    write_policy(file)
    sign(file, "root")
    content = file.read_bytes()
    assert trust.load_policy(file, root=public("root"), today=TODAY).name == "dance"
    assert trust.load_policy(file, root=None, today=TODAY).name == "dance"
    for _, changed in flips(content):
        file.write_bytes(changed)
        with pytest.raises(VerificationError):
            trust.load_policy(file, root=public("root"), today=TODAY)


def test_policy_must_be_signed_by_the_root_key(tmp_path: Path) -> None:
    file = tmp_path / "trust.yaml"
    write_policy(file)
    with pytest.raises(VerificationError, match=r"trust\.yaml is not signed"):
        trust.load_policy(file, root=public("root"), today=TODAY)
    sign(file, "one")
    with pytest.raises(TrustError, match="the trust policy does not know the key"):
        trust.load_policy(file, root=public("root"), today=TODAY)


def test_cosign_bundle_lies_beside_lock_and_index(made: Path) -> None:
    for name in ("lode.lock", "index.json"):
        sha256, signature = cosign.read_blob_bundle((made / f"{name}.sigstore.json").read_bytes(), name)
        assert sha256 == digest.of_bytes((made / name).read_bytes())
        assert public("one").verifies(signature.content, (made / name).read_bytes())


def test_missing_subject_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no nothing here"):
        subjects.kind_of("nothing", tmp_path)
    with pytest.raises(UsageError, match=r"is no prefix, release folder, image layout or CVMFS repository"):
        subjects.kind_of(str(tmp_path), tmp_path)
    with pytest.raises(HostError):
        subjects.subject_of(Kind.LOCK, str(tmp_path / "x.lock"), tmp_path)


def test_claim_of_another_lock_is_refused(tmp_path: Path) -> None:
    """A signer who says another lock's digest is not believed, whoever it is."""
    file = tmp_path / "lode.lock"
    file.write_bytes(lockfile.dump(LOCKED))
    subject = subjects.subject_of(Kind.LOCK, str(file), tmp_path)
    claim = replace(signatures.read_claim(subject, stack=None, now=NOW), lock="0" * 64)
    signatures.sign(subject, claim, signer("one"))
    with pytest.raises(VerificationError, match="not the one that was signed"):
        verify(file)
