"""A repository in a bucket, on a server that speaks S3: read back over HTTP, locked, and never half published."""

from __future__ import annotations

import datetime
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.cvmfs.ground import FQRN, MOUNT, MTIME, NOW, Failing, Ground, Stopped, plant, source

from lode.errors import HostError, PublicationError
from lode.progress import Silent
from lode.publishing.cvmfs import bucket, check, gc, stratum
from lode.publishing.cvmfs.bucket import LOCK, Bucket

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Return the endpoint of a server with the public bucket `served`."""
    import boto3
    from moto.server import ThreadedMotoServer

    served = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    served.start()
    try:
        host, port = served.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        client.create_bucket(Bucket="served", ACL="public-read")
        yield endpoint
    finally:
        served.stop()


@pytest.fixture
def place(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> tuple[str, str]:
    """Return the endpoint and the URL of a folder of this test alone."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    return server, f"s3://served/{request.node.name}"


@pytest.fixture
def ground(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, place: tuple[str, str]) -> Ground:
    """Return keys and an empty repository in the bucket."""
    made = Ground(tmp_path / "ground", tmp_path_factory.mktemp("keys") / "keys")
    stratum.create(made.stratum(opened(place)), made.key, made.master, now=NOW)
    return made


def opened(place: tuple[str, str], lease_s: float = 60.0) -> Bucket:
    return bucket.opened(place[1], endpoint=place[0], region=None, lease_s=lease_s)


def fetcher(place: tuple[str, str]) -> reader.Fetch:
    base = f"{place[0]}/{place[1].removeprefix('s3://')}"

    def fetch(path: str) -> bytes:
        try:
            with urllib.request.urlopen(f"{base}/{path}", timeout=20) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise reader.Broken(f"{path}: {error.code}") from error

    return fetch


def test_bucket_is_published_to_and_read_over_http(ground: Ground, place: tuple[str, str], tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b"1", "big": os.urandom(200_000), "b/c": "../a"}, extra=120)
    made = ground.publish(source(root), storage=opened(place), tags={"one": ""})
    assert (made.revision, made.new) == (2, True)
    mounted = reader.mount(fetcher(place), ground.public, FQRN, now=NOW)
    assert reader.compare(mounted, MOUNT, root, mtime=MTIME) > 120
    assert ground.publish(source(root), storage=opened(place)).new is False
    local = Ground(tmp_path / "local", ground.files.folder).create()
    assert local.publish(source(root)).root == made.root  # a bucket or a folder: the same tree, the same root

    ground.publish(storage=opened(place), remove=[MOUNT])
    later = NOW + datetime.timedelta(days=5)
    done = gc.collect(ground.stratum(opened(place)), now=later, dry_run=False, progress=Silent())
    assert done.removed == 2  # the histories of the first two revisions; the tag keeps its tree
    found = check.check(ground.stratum(opened(place)), now=NOW, jobs=2, progress=Silent())
    assert (found.faults, found.revision) == ((), 3)
    assert opened(place).lock() is None


def test_second_writer_waits_and_is_turned_away(ground: Ground, place: tuple[str, str], tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b"1"})
    with opened(place, lease_s=1.0).writer(), pytest.raises(PublicationError, match="another command is writing"):
        ground.publish(source(root), storage=opened(place, lease_s=30.0))
    assert ground.publish(source(root), storage=opened(place)).revision == 2


def test_lock_of_a_writer_that_was_killed_is_taken_over(ground: Ground, place: tuple[str, str], tmp_path: Path) -> None:
    assert opened(place).put_lock(b"left behind", "create")
    made = ground.publish(source(plant(tmp_path / "tree", {"a": b"1"})), storage=opened(place, lease_s=0.4))
    assert made.revision == 2
    assert opened(place).read(LOCK) is None


def test_of_two_that_take_over_at_once_one_wins(ground: Ground, place: tuple[str, str]) -> None:
    opened(place).put_lock(b"left behind", "create")
    outcomes: list[str] = []
    ready, over = threading.Barrier(2), threading.Event()

    def work() -> None:
        storage = opened(place, lease_s=3.0)
        ready.wait()
        try:
            with storage.writer():
                outcomes.append("held")
                over.wait(60)  # the other is turned away meanwhile
        except PublicationError:
            outcomes.append("refused")
            over.set()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["held", "refused"]


def test_revision_put_in_between_is_not_overwritten(ground: Ground, place: tuple[str, str], tmp_path: Path) -> None:
    """The lock was lost, as by a machine that slept: the condition of the put decides."""
    root = plant(tmp_path / "tree", {"a": b"1"})

    class Late(Bucket):
        def replace(self, key: str, content: bytes) -> None:
            if key == ".cvmfspublished":
                other = opened(place)
                current = other.read(key)
                assert current is not None
                other.replace(key, current + b" ")
            super().replace(key, content)

    storage = opened(place)
    late = Late(storage._store, storage.address)
    with pytest.raises(PublicationError, match="another publisher has put a revision in between"):
        ground.publish(source(root), storage=late)


@pytest.mark.parametrize("late", [False, True])
def test_fault_at_any_call_leaves_a_whole_repository(
    ground: Ground, place: tuple[str, str], tmp_path: Path, late: bool
) -> None:
    root = plant(tmp_path / "tree", {"a": b"1", "big": os.urandom(140_000)})
    at = 0
    while True:
        at += 1
        error = Stopped("killed") if at % 2 else HostError("the bucket does not answer")
        try:
            ground.publish(source(root), storage=Failing(opened(place), at, error, late=late))
            break
        except (Stopped, HostError):
            mounted = reader.mount(fetcher(place), ground.public, FQRN, now=NOW)
            if mounted.fields["S"] != "1":
                break
        assert at < 100
    assert at > 5
    ground.publish(source(root), storage=opened(place))
    mounted = reader.mount(fetcher(place), ground.public, FQRN, now=NOW)
    reader.compare(mounted, MOUNT, root, mtime=MTIME)


def test_missing_bucket_is_told(place: tuple[str, str], tmp_path: Path) -> None:
    nowhere = bucket.opened("s3://no-such-bucket/x", endpoint=place[0], region=None)
    with pytest.raises(HostError) as error:
        Ground(tmp_path, tmp_path / "keys").publish(storage=nowhere)
    assert str(error.value) == "there is no bucket s3://no-such-bucket/x\n  hint: make it first, with its provider"
