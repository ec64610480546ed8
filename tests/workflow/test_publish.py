"""Publishing a release to the repository that its trees are made for, read back from the public key on."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.cvmfs.ground import plant, seal
from tests.testing.factory import TARGET, lock, whole

from lode.config import Places, places
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.installing import prefix as prefixes
from lode.locking import lockfile
from lode.progress import Silent
from lode.workflow import cvmfs, publish
from lode.workflow.report import LOCK, PREFIX

NOW = datetime.datetime(2026, 11, 25, 12, 30, tzinfo=datetime.UTC)
NAME = "lode.example.org"


@pytest.fixture
def home(tmp_path: Path) -> Places:
    return places({"LODE_HOME": str(tmp_path / "home")})


def release(folder: Path, *, final_path: str | None = None) -> Path:
    """Make a release folder with one tree."""
    made = whole(lock())
    root = folder / TARGET / PREFIX
    plant(root, {"bin/tool": b"#!/bin/sh\n", "lib/l.so": "l.so.1", "lib/l.so.1": os.urandom(9_999)})
    (root / prefixes.LOCK).write_bytes(lockfile.dump(made))
    (root / prefixes.RECORD).write_bytes(prefixes.record(made, TARGET, None, final_path or made.final_path(TARGET), ()))
    seal(root)
    (folder / LOCK).write_bytes(lockfile.dump(made))
    return folder


def order(folder: Path, home: Places, tmp_path: Path, now: datetime.datetime = NOW) -> publish.Order:
    collection = tmp_path / "collection"
    collection.mkdir(exist_ok=True)
    (collection / "collection.yaml").write_text('name: own\nversion: "1"\n')
    return publish.Order(
        catalogue=Catalogue.open((collection,), here=collection),
        lock=lockfile.load((folder / LOCK).read_bytes(), LOCK),
        folder=folder,
        prefixes=publish.trees(folder),
        places=home,
        now=now,
        jobs=2,
        progress=Silent(),
        environ={},
    )


def test_release_is_published_to_a_repository_made_on_first_use(tmp_path: Path, home: Places) -> None:
    folder = release(tmp_path / "release")
    (done,) = publish.publish(order(folder, home, tmp_path))
    mount = lock().final_path(TARGET).removeprefix(f"/cvmfs/{NAME}")
    assert (done.kind, done.destination, done.new, done.document["changed"]) == ("cvmfs", NAME, True, (mount,))
    served = tmp_path / "home" / "cvmfs" / NAME
    assert done.document["place"] == str(served)
    public = Path(done.document["public_key"]).read_bytes()
    mounted = reader.mount(lambda path: (served / path).read_bytes(), public, NAME, now=NOW)
    mtime = int(datetime.datetime.fromisoformat(lock().date).replace(tzinfo=datetime.UTC).timestamp())
    assert reader.compare(mounted, mount, folder / TARGET / PREFIX, mtime=mtime) == 9
    assert mounted.fields["C"] == done.digest


def test_release_that_is_published_makes_no_revision(tmp_path: Path, home: Places) -> None:
    folder = release(tmp_path / "release")
    (first,) = publish.publish(order(folder, home, tmp_path))
    (again,) = publish.publish(order(folder, home, tmp_path))
    assert (again.new, again.digest, again.document["revision"]) == (False, first.digest, first.document["revision"])


def test_whitelist_that_expires_soon_is_renewed_where_the_master_key_is(tmp_path: Path, home: Places) -> None:
    folder = release(tmp_path / "release")
    publish.publish(order(folder, home, tmp_path))
    late = NOW + datetime.timedelta(days=45)  # it has expired
    (done,) = publish.publish(order(folder, home, tmp_path, late))
    assert done.document["warnings"] == ()
    (home.keys / "cvmfs" / NAME / f"{NAME}.masterkey").unlink()
    (done,) = publish.publish(order(folder, home, tmp_path, late + datetime.timedelta(days=29)))
    assert done.document["warnings"] == (
        "the whitelist expires on 2027-02-08 12:30 UTC: `lode cvmfs resign lode.example.org` renews it",
    )


def test_trees_of_two_repositories_are_refused(tmp_path: Path) -> None:
    here = release(tmp_path / "1") / TARGET / PREFIX
    there = release(tmp_path / "2", final_path="/cvmfs/other.example.org/mini/1/any") / TARGET / PREFIX
    with pytest.raises(UsageError) as error:
        cvmfs.repository_of([here, there])
    assert str(error.value) == (
        f"these trees are made for {lock().final_path(TARGET)}, /cvmfs/other.example.org/mini/1/any, "
        "not for one repository\n  hint: publish: cvmfs: in the stack's file names it"
    )


def test_kind_without_a_publisher_is_refused(tmp_path: Path, home: Places) -> None:
    with pytest.raises(UsageError) as error:
        publish.publish(order(release(tmp_path / "release"), home, tmp_path), ["ftp"])
    assert str(error.value).startswith("nothing publishes to a ftp\n  hint: there are: cvmfs, registry")


def test_missing_tree_is_named(tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    with pytest.raises(UsageError) as error:
        publish.trees(folder, ["el9-x86_64"])
    assert str(error.value) == f"{folder} holds no tree for el9-x86_64\n  hint: there are: {TARGET}"
