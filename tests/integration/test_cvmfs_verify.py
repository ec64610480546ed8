"""`lode verify` of what was published to CVMFS: a mounted tree, one that is served, a whole repository."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.publishing.cvmfs.ground import FQRN, MOUNT, NOW, Ground, source
from tests.signing.factory import policy, signer
from tests.testing.factory import TARGET, lock, whole
from tests.workflow.test_publish import release

from lode.config import places
from lode.errors import HostError, TrustError, UsageError, VerificationError
from lode.progress import Silent
from lode.publishing.cvmfs.serve import server
from lode.signing.claim import Kind
from lode.workflow import signatures, subjects, trust
from lode.workflow.report import PREFIX
from lode.workflow.trust import Request, Verified

pytestmark = pytest.mark.integration

TODAY = NOW.date()
PLACE = f"{whole(lock()).stack}/{whole(lock()).release}/{TARGET}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a prefix in the user's folder for releases, its signature beside it."""
    home = places({"LODE_HOME": str(tmp_path / "home")})
    found = release(home.releases / Path(PLACE).parent) / TARGET / PREFIX
    subject = subjects.subject_of(Kind.PREFIX, str(found), home.releases)
    signatures.sign(subject, signatures.read_claim(subject, stack=None, now=NOW), signer("one"))
    return found


@pytest.fixture
def ground(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path / "ground", tmp_path_factory.mktemp("keys") / "keys").create()


@pytest.fixture
def url(ground: Ground, root: Path) -> Iterator[str]:
    """Publish the prefix and serve the repository."""
    ground.publish(replace(source(root, f"/{PLACE}"), mtime=1))
    with server(ground.folder, FQRN, port=0) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/cvmfs/{FQRN}"
        serving.shutdown()
        thread.join()


def request(subject: object, tmp_path: Path, *signers: str, **more: object) -> Request:
    home = places({"LODE_HOME": str(tmp_path / "home")})
    return Request(
        kind=subjects.kind_of(str(subject), home.releases),
        subject=str(subject),
        policy=policy(*(signers or ("one",))),
        today=TODAY,
        progress=Silent(),
        releases=home.releases,
        keys=home.keys,
        **more,  # type: ignore[arg-type]
    )


def verify(subject: object, tmp_path: Path, *signers: str, **more: object) -> Verified:
    asked = request(subject, tmp_path, *signers, **more)
    assert asked.kind is Kind.CVMFS
    return trust.VERIFIERS[Kind.CVMFS](asked)


def test_mounted_tree_is_verified_by_the_signature_of_its_prefix(root: Path, tmp_path: Path) -> None:
    mounted = tmp_path / "cvmfs" / FQRN / PLACE
    shutil.copytree(root, mounted, symlinks=True)
    (mounted / ".cvmfscatalog").touch()
    found = verify(mounted, tmp_path)
    assert found.accepted.claim.target == TARGET
    assert found.checked[0] == "8 entries"
    assert verify(mounted, tmp_path, share=0.0).checked[1] == "every byte of 0 files, 0.0 MB"
    with pytest.raises(TrustError):
        verify(mounted, tmp_path, "somebody else")
    (mounted / "bin/tool").write_bytes(b"#!/bin/zh\n")
    with pytest.raises(VerificationError, match="bin/tool has another content"):
        verify(mounted, tmp_path)


def test_served_tree_is_verified_through_the_chain_and_the_signature(
    ground: Ground, root: Path, url: str, tmp_path: Path
) -> None:
    found = verify(f"{url}/{PLACE}", tmp_path, cvmfs_key=ground.files.public)
    assert (found.digests["sha256"], found.accepted.claim.kind) == (source(root).digest, Kind.PREFIX)
    assert found.checked[2] == f"the chain from {ground.files.public} to every file read"
    with pytest.raises(VerificationError, match=f"nothing is published at {MOUNT}x of {FQRN}"):
        verify(f"{url}{MOUNT}x", tmp_path, cvmfs_key=ground.files.public)
    with pytest.raises(HostError) as error:
        verify(f"{url}/{PLACE}", tmp_path)
    assert error.value.faults[0].message.startswith(f"the public key of {FQRN} is at none of {tmp_path}/home/keys")
    next(ground.folder.glob("data/??/" + "?" * 38)).write_bytes(b"x")
    with pytest.raises(VerificationError, match="is damaged"):
        verify(f"{url}/{PLACE}", tmp_path, cvmfs_key=ground.files.public)


def test_repository_is_verified_from_its_signed_public_key(ground: Ground, url: str, tmp_path: Path) -> None:
    key = tmp_path / f"{FQRN}.pub"
    shutil.copy(ground.files.public, key)
    with pytest.raises(VerificationError, match=f"^{FQRN} is not signed"):
        verify(url, tmp_path, cvmfs_key=key)
    subject = subjects.subject_of(Kind.CVMFS, str(key), tmp_path)
    signatures.sign(subject, signatures.read_claim(subject, stack=None, now=NOW), signer("one"))
    for place in (url, ground.folder):
        found = verify(place, tmp_path, cvmfs_key=key)
        assert found.checked[0].startswith("revision 2, root ")
    with pytest.raises(UsageError, match="of a CVMFS repository the public key is signed"):
        subjects.subject_of(Kind.CVMFS, str(ground.folder), tmp_path)
    next(ground.folder.glob("data/??/" + "?" * 38)).unlink()
    with pytest.raises(VerificationError, match="is missing"):
        verify(url, tmp_path, cvmfs_key=key)
