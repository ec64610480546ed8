"""Faults at every call of the storage: the repository is at the old revision or the new one, and work goes on."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.cvmfs.ground import FQRN, MOUNT, NOW, Failing, Ground, Stopped, plant, source

from lode.errors import LodeError
from lode.progress import Silent
from lode.publishing.cvmfs import check, gc, resign, revisions
from lode.publishing.cvmfs.stratum import Stratum

Work = Callable[[Ground, Stratum, Path], object]


def _publish(ground: Ground, there: Stratum, folder: Path) -> object:
    return ground.publish(source(folder / "new"), storage=there.storage)


def _tag(ground: Ground, there: Stratum, folder: Path) -> object:
    return revisions.tag(there, ground.key, "named", "", now=NOW, force=True)


def _rollback(ground: Ground, there: Stratum, folder: Path) -> object:
    return revisions.rollback(there, ground.key, "old", now=NOW)


def _gc(ground: Ground, there: Stratum, folder: Path) -> object:
    return gc.collect(there, now=NOW, dry_run=False, progress=Silent())


def _resign(ground: Ground, there: Stratum, folder: Path) -> object:
    content = resign.sign(resign.request(there, ground.key.certificate, now=NOW), ground.master)
    return resign.install(there, content, now=NOW)


WORKS: dict[str, Work] = {"publish": _publish, "tag": _tag, "rollback": _rollback, "gc": _gc, "resign": _resign}


@pytest.fixture
def used(ground: Ground, tmp_path: Path) -> Ground:
    """Return a repository with a tagged revision, a later one, and garbage; a third tree waits to be published."""
    ground.publish(source(plant(tmp_path / "one", {"a": b"1", "b/c": b"2" * 70_000})), tags={"old": ""})
    ground.publish(source(plant(tmp_path / "two", {"a": b"1", "d": b"3"})))
    (ground.folder / "data/00").mkdir(exist_ok=True)
    for number in range(3):
        (ground.folder / "data/00" / f"{number:038x}").write_bytes(b"garbage")
    plant(tmp_path / "new", {"a": b"4", "e/f": b"5" * 140_000, "g": "a"})
    return ground


def state(ground: Ground) -> tuple[str, str]:
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    for node in mounted.nodes.values():
        if node.content is not None:
            node.content()
    return mounted.fields["S"], mounted.fields["C"]


def after(work: str, before: tuple[str, str]) -> set[str]:
    new = str(int(before[0]) + 1) if work in ("publish", "rollback") else before[0]
    return {before[0], new}


@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), Stopped("killed")], ids=["error", "stop"]
)
def test_fault_at_any_call_leaves_a_whole_repository(
    used: Ground, tmp_path: Path, work: str, late: bool, error: BaseException
) -> None:
    before = state(used)
    at, done = 0, False
    while not done:
        at += 1
        storage = Failing(used.stratum().storage, at, error, late=late)
        try:
            WORKS[work](used, used.stratum(storage), tmp_path)
            done = True
        except (OSError, Stopped):
            assert state(used)[0] in after(work, before), f"call {at}"
            if state(used)[0] != before[0]:  # the last call had its effect: what comes now is another run
                done = True
        assert at < 300
    assert at > 3
    WORKS[work](used, used.stratum(), tmp_path)
    found = check.check(used.stratum(), now=NOW, jobs=2, progress=Silent())
    assert found.faults == ()
    assert used.publish(source(tmp_path / "new")).changed in ((), (MOUNT,))
    assert state(used)


def test_half_written_files_of_a_killed_writer_are_swept(used: Ground, tmp_path: Path) -> None:
    left = used.folder / "data/txn/left.part"
    left.write_bytes(b"half")
    used.publish(source(tmp_path / "new"))
    assert not left.exists()


def test_object_that_a_loss_of_power_left_empty_is_written_again(used: Ground, tmp_path: Path) -> None:
    made = used.publish(source(tmp_path / "new"))
    row = (used.folder / "data" / made.root[:2] / f"{made.root[2:]}C").read_bytes()
    revisions.rollback(used.stratum(), used.key, "old", now=NOW)
    for path in used.folder.glob("data/??/*"):
        if path.name[-1] not in "CHXM":
            path.write_bytes(b"")
    root = plant(tmp_path / "later", {"a": b"4", "e/f": b"5" * 140_000})
    used.publish(source(root, MOUNT.replace("2026.11", "2027.1")))
    assert row
    mounted = reader.mount(used.fetch, used.public, FQRN, now=NOW)
    for path, node in mounted.nodes.items():
        if b"/2027.1/" in path and node.content is not None:
            node.content()


# --- what is broken is found and named ---


def damage(ground: Ground, place: str) -> None:
    path = ground.folder / place
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def faults(ground: Ground) -> tuple[str, ...]:
    return check.check(ground.stratum(), now=NOW, jobs=2, progress=Silent()).faults


@pytest.mark.parametrize("place", [".cvmfspublished", ".cvmfswhitelist"])
def test_damaged_signed_file_is_found(used: Ground, place: str) -> None:
    damage(used, place)
    assert len(faults(used)) == 1
    with pytest.raises(LodeError):
        used.publish()


def test_every_damaged_or_missing_object_is_found(used: Ground) -> None:
    needed = [path for path in used.folder.glob("data/??/*") if path.read_bytes() != b"garbage"]
    assert faults(used) == ()
    reachable = 0
    for path in needed:
        kept = path.read_bytes()
        damage(used, str(path.relative_to(used.folder)))
        damaged = faults(used)
        path.unlink()
        missing = faults(used)
        path.write_bytes(kept)
        assert bool(damaged) == bool(missing)
        if damaged:
            reachable += 1
            assert path.name in damaged[0]
            assert path.name in missing[0]
    assert reachable >= 14
    assert faults(used) == ()


def test_manifest_of_another_key_is_refused(used: Ground, tmp_path: Path) -> None:
    other = Ground(tmp_path / "other", tmp_path / "keys").create()
    (used.folder / ".cvmfswhitelist").write_bytes(other.fetch(".cvmfswhitelist"))
    assert faults(used) == ("the whitelist is not signed by the master key",)
