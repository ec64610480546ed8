"""What signs by identity besides `lode sign`: a release, a store's index, and a job that outlives its certificate."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration import sigstore
from tests.integration.sigstore import Services
from tests.integration.test_keyless import write_policy
from tests.signing import instance
from tests.signing.factory import signer as by_key
from tests.signing.identities import unsigned
from tests.workflow import released
from tests.workflow.test_store_index import STACK, built

from lode import config
from lode.building.cache import FolderStore
from lode.cli.main import run
from lode.definitions.catalogue import Catalogue
from lode.errors import HostError
from lode.progress import Silent
from lode.signing import envelope
from lode.signing.certify import IdentitySigner
from lode.workflow import delivery, keys, store_index, trust
from lode.workflow.delivery import Desk, Wishes

pytestmark = pytest.mark.integration

NOW = datetime.datetime(2026, 11, 25, 10, tzinfo=datetime.UTC)


@pytest.fixture
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with sigstore.running(2, tmp_path_factory.mktemp("sigstore")) as running:
        yield running


@pytest.fixture
def here(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: an experiment whose policy names the pipeline."""
    write_policy(tmp_path, services)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pipeline(services: Services) -> IdentitySigner:
    return IdentitySigner(services.root.read_bytes(), services.config.read_bytes(), services.token, "services.json")


def test_release_of_a_pipeline_is_signed_by_its_identity_and_no_key_is_made(here: Path, services: Services) -> None:
    places = config.places(os.environ)
    desk = Desk(
        catalogue=Catalogue.open([here], here=here),
        lock=released.LOCK,
        folder=released.release(here / "r", images=False),
        places=places,
        environ={"SIGSTORE_ID_TOKEN": services.token()},
        now=NOW,
        progress=Silent(),
        wishes=Wishes(secret=lambda _: "", collection=here),
    )
    signed, left = delivery.sign(desk, {})
    assert (left, keys.stored(places.keys)) == ({}, ())
    assert signed is not None
    assert run(["verify", str(here / "r")]) == 0
    elsewhere = replace(desk, wishes=Wishes(secret=lambda _: "", collection=None))
    delivery.sign(elsewhere, {})
    assert [each.name for each in keys.stored(places.keys)] == ["release"]


def test_index_of_a_store_is_signed_by_identity_and_goes_on(here: Path, services: Services, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    policy = trust.load_policy(here / "trust.yaml", root=None, today=NOW.date())
    first = store_index.sign(STACK, built(store, tmp_path / "one", "zlib"), store, pipeline(services), now=NOW)
    second = store_index.sign(STACK, built(store, tmp_path / "two", "nest"), store, pipeline(services), now=NOW)
    assert [(each.claim.sequence, each.nodes) for each in (first, second)] == [(1, 1), (2, 2)]
    accepted, _ = store_index.newest(store, STACK, policy, seen=tmp_path / "seen.json", today=NOW.date())
    assert accepted.signers == ("ci",)
    third = store_index.sign(STACK, built(store, tmp_path / "three", "zlib"), store, by_key("one"), now=NOW)
    assert (third.claim.sequence, third.nodes) == (3, 1)  # nothing is taken over from another signer


def test_certificate_that_is_over_is_renewed_while_signing(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "CERTIFICATE", datetime.timedelta(seconds=2))
    signer = pipeline(services)
    time.sleep(3.1)
    services.asked.clear()
    assert signer.holds(envelope.add(unsigned(), signer))
    assert services.asked[0] == "/api/v2/signingCert"


def test_another_identity_does_not_go_on_in_its_name(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that names somebody else in the middle of a release ends it."""
    monkeypatch.setattr(instance, "CERTIFICATE", datetime.timedelta(seconds=2))
    signer = pipeline(services)
    services.person = instance.Person(identity="https://forge.example.org/other")
    time.sleep(3.1)
    with pytest.raises(HostError, match="the Sigstore instance did not sign: ExpiredCertificate"):
        envelope.add(unsigned(), signer)


def test_root_is_held_by_the_policy_and_the_policy_by_its_key(
    here: Path, services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", services.token())
    monkeypatch.setenv("LODE_KEY_PASSWORD", "correct horse")
    (here / "f").write_bytes(b"x")
    assert run(["sign", "bundle", "f", "--stack", "mini@1", "--key", "sigstore:"]) == 0
    assert run(["keys", "init", "root"]) == 0
    assert run(["keys", "export", "root", "-o", "root.pub"]) == 0
    assert run(["sign", "trust.yaml", "--key", "root"]) == 0
    assert run(["verify", "bundle", "f", "--root", "root.pub"]) == 0
    (here / "root.json").write_bytes(instance.Instance("thief", services.url).root())
    capsys.readouterr()
    assert run(["verify", "bundle", "f", "--root", "root.pub"]) == 3
    assert "root.json is another file: its sha256 is" in capsys.readouterr().err
    write_policy(here, services)
    (here / "trust.yaml").write_text((here / "trust.yaml").read_text() + "# \n")
    assert run(["verify", "bundle", "f", "--root", "root.pub"]) == 9
