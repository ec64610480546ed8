"""Tags, returning, telling apart, collecting, renewing the whitelist."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.cvmfs.ground import FQRN, MOUNT, MTIME, NOW, REPOSITORY, Ground, plant, seal, source

from lode.definitions.repository import Retention
from lode.errors import HostError, PublicationError, VerificationError
from lode.progress import Silent
from lode.publishing.cvmfs import gc, keys, resign, revisions, stratum, whitelist
from lode.publishing.cvmfs.keys import KeyFiles

DAY = datetime.timedelta(days=1)


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    one = plant(tmp_path / "one", {"a": b"1", "only": b"one", "b/c": b"2", "l": "a"}, extra=120)
    two = plant(tmp_path / "two", {"a": b"changed", "b/c": b"2", "l": "b", "n/ew": b""}, extra=120)
    return one, two


def test_tag_is_mounted_after_later_revisions(ground: Ground, trees: tuple[Path, Path]) -> None:
    ground.publish(source(trees[0]), tags={"2026.11": "first"})
    ground.publish(source(trees[1]))
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW, tag="2026.11")
    reader.compare(mounted, MOUNT, trees[0], mtime=MTIME)
    assert {name: row[1] for name, row in mounted.tags.items()} == {"2026.11": 2, "trunk": 3, "trunk-previous": 2}


def test_tag_that_exists_is_moved_only_by_force(ground: Ground, trees: tuple[Path, Path]) -> None:
    there = ground.stratum()
    revisions.tag(there, ground.key, "v", "", now=NOW)
    ground.publish(source(trees[0]))
    with pytest.raises(PublicationError, match=r"^the tag v exists"):
        revisions.tag(there, ground.key, "v", "", now=NOW)
    revisions.tag(there, ground.key, "v", "", now=NOW, force=True)
    assert revisions.find(stratum.read(there), "v").revision == 2
    revisions.untag(there, ground.key, "v", now=NOW)
    with pytest.raises(PublicationError) as error:
        revisions.find(stratum.read(there), "trunc")
    assert str(error.value) == "there is no tag trunc\n  hint: did you mean 'trunk'?"


def test_rollback_is_a_new_revision_with_the_old_content(ground: Ground, trees: tuple[Path, Path]) -> None:
    ground.publish(source(trees[0]))
    ground.publish(source(trees[1]))
    made = revisions.rollback(ground.stratum(), ground.key, "trunk-previous", now=NOW)
    assert made.revision == 4
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    reader.compare(mounted, MOUNT, trees[0], mtime=MTIME)
    assert ground.publish(source(trees[1])).revision == 5
    reader.compare(reader.mount(ground.fetch, ground.public, FQRN, now=NOW), MOUNT, trees[1], mtime=MTIME)


def test_diff_names_what_differs(ground: Ground, trees: tuple[Path, Path]) -> None:
    ground.publish(source(trees[0]))
    ground.publish(source(trees[1]))
    head = stratum.read(ground.stratum())
    left, right = (revisions.find(head, name).root for name in ("trunk-previous", "trunk"))
    found = [(one.kind, one.path.decode().removeprefix(MOUNT)) for one in
             revisions.diff(ground.stratum().storage, left, right)]  # fmt: skip
    assert found == [
        ("changed", "/.lode/inventory.jsonl"),
        ("changed", "/a"),
        ("changed", "/l"),
        ("added", "/n"),
        ("added", "/n/ew"),
        ("removed", "/only"),
    ]
    assert list(revisions.diff(ground.stratum().storage, left, left)) == []


def test_diff_does_not_mind_another_cut(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b"1"}, extra=90)
    ground.publish(source(root))
    for number in range(20):
        (root / "share" / f"more{number}").write_bytes(b"")
    seal(root)
    ground.publish(source(root))
    catalogs = reader.mount(ground.fetch, ground.public, FQRN, now=NOW).catalogs
    assert f"{MOUNT}/share".encode() in catalogs
    head = stratum.read(ground.stratum())
    left, right = (revisions.find(head, name).root for name in ("trunk-previous", "trunk"))
    kinds = [one.kind for one in revisions.diff(ground.stratum().storage, left, right)]
    assert kinds == ["changed", *["added"] * 20]


def _kept(ground: Ground, *, days: int, now: datetime.datetime = NOW) -> gc.Collection:
    ground.repository = replace(REPOSITORY, retention=Retention(days=days, revisions=2), whitelist_days=3650)
    return gc.collect(ground.stratum(), now=now, dry_run=False, progress=Silent())


def test_gc_keeps_what_tags_and_recent_revisions_reach(ground: Ground, tmp_path: Path) -> None:
    contents = {}
    for number in range(1, 6):
        root = plant(tmp_path / str(number), {"f": b"%d" % number, "same": b"same"})
        made = ground.publish(source(root), now=NOW + number * DAY, tags={"kept": ""} if number == 2 else {})
        contents[made.revision] = (made.root, root)
    later = NOW + 6 * DAY
    assert gc.collect(ground.stratum(), now=later, dry_run=True, progress=Silent()).removed > 0
    done = _kept(ground, days=1, now=later)
    assert (done.revisions, done.dry_run) == ((6, 5), False)
    reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    tagged = reader.mount(ground.fetch, ground.public, FQRN, now=NOW, tag="kept")
    reader.compare(tagged, MOUNT, contents[3][1], mtime=MTIME)
    names = {path.name for path in ground.folder.glob("data/??/*C")}
    assert {number for number, (root, _) in contents.items() if f"{root[2:]}C" in names} == {3, 5, 6}
    assert _kept(ground, days=1, now=later).removed == 0
    assert ground.publish(source(contents[2][1]), now=later).revision == 7
    reader.compare(reader.mount(ground.fetch, ground.public, FQRN, now=NOW), MOUNT, contents[2][1], mtime=MTIME)


def test_gc_keeps_revisions_that_were_current_in_the_last_days(ground: Ground, tmp_path: Path) -> None:
    for number in range(1, 6):
        ground.publish(source(plant(tmp_path / str(number), {"f": b"%d" % number})), now=NOW + number * DAY)
    assert _kept(ground, days=3, now=NOW + 6 * DAY).revisions == (6, 5, 4, 3)
    assert _kept(ground, days=3000, now=NOW + 6 * DAY).revisions == (6, 5, 4, 3)


def test_gc_removes_nothing_when_the_present_revision_is_broken(ground: Ground, trees: tuple[Path, Path]) -> None:
    made = ground.publish(source(trees[0]))
    (ground.folder / "data/00").mkdir(exist_ok=True)
    garbage = ground.folder / "data/00" / ("0" * 38)
    garbage.write_bytes(b"")
    root = stratum.load_root(ground.stratum().storage, made.root)
    place = root.nested[0].hash
    (ground.folder / "data" / place[:2] / f"{place[2:]}C").unlink()
    with pytest.raises(VerificationError, match="is missing"):
        gc.collect(ground.stratum(), now=NOW, dry_run=False, progress=Silent())
    assert garbage.exists()


def test_whitelist_is_renewed_in_two_steps(ground: Ground) -> None:
    later = NOW + 40 * DAY
    with pytest.raises(reader.Broken, match="expired"):
        reader.mount(ground.fetch, ground.public, FQRN, now=later)
    request = resign.request(ground.stratum(), ground.key.certificate, now=later)
    assert request.splitlines()[1:3] == [b"E20270131123000", b"Ntest.example.org"]
    resign.install(ground.stratum(), resign.sign(request, ground.master), now=later)
    reader.mount(ground.fetch, ground.public, FQRN, now=later)


def test_whitelist_that_clients_would_refuse_is_not_installed(ground: Ground, tmp_path: Path) -> None:
    before = ground.fetch(".cvmfswhitelist")
    there = ground.stratum()
    good = resign.request(there, ground.key.certificate, now=NOW)
    other = keys.load_private(Ground(tmp_path / "o", tmp_path / "other").files.master, None)
    for content in (
        whitelist.sign(good, other),
        whitelist.sign(good.replace(b"Ntest", b"Nbest"), ground.master),
        whitelist.sign(good.replace(b"E2026", b"E2025"), ground.master),
        whitelist.sign(b"".join(good.splitlines(keepends=True)[:3]), ground.master),
        whitelist.sign(good, ground.master)[:-1],
        good,
    ):
        with pytest.raises(VerificationError):
            resign.install(there, content, now=NOW)
    assert ground.fetch(".cvmfswhitelist") == before


def test_changed_signing_key_is_taken_once_the_whitelist_names_it(ground: Ground, tmp_path: Path) -> None:
    new = Ground(tmp_path / "new", tmp_path / "new keys").key
    with pytest.raises(PublicationError, match=r"^the whitelist does not name this signing key"):
        revisions.tag(ground.stratum(), new, "v", "", now=NOW)
    content = resign.sign(resign.request(ground.stratum(), new.certificate, now=NOW), ground.master)
    resign.install(ground.stratum(), content, now=NOW)
    reader.mount(ground.fetch, ground.public, FQRN, now=NOW)  # the present revision is the old key's
    revisions.tag(ground.stratum(), new, "v", "", now=NOW)
    reader.mount(ground.fetch, ground.public, FQRN, now=NOW)


def test_private_keys_are_private_and_opened_by_passphrase_only(tmp_path: Path) -> None:
    files = KeyFiles(folder=tmp_path / "k", name=FQRN)
    keys.generate(files, now=NOW, passphrase=b"secret")
    modes = {path.name.rpartition(".")[2]: path.stat().st_mode & 0o777 for path in files.folder.iterdir()}
    assert modes == {"masterkey": 0o600, "key": 0o600, "crt": 0o644, "pub": 0o644}
    assert files.folder.stat().st_mode & 0o777 == 0o700
    assert keys.load_signing(files, b"secret").certificate == files.certificate.read_bytes()
    for wrong in (None, b"other"):
        with pytest.raises(HostError, match=r"hint: give its passphrase in LODE_CVMFS_PASSPHRASE"):
            keys.load_private(files.master, wrong)
    with pytest.raises(PublicationError, match="a repository's keys are made once"):
        keys.generate(files, now=NOW)
