"""Scratch folders: gone at the end, gone after a kill by the next run's doing, and never taken from a live one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lode import scratch

LOOPING = """\
import sys
from pathlib import Path
from lode import scratch
with scratch.folder("loop", Path(sys.argv[1])) as folder:
    for number in range(int(sys.argv[2])):
        (folder / str(number)).mkdir(mode=0o500)
    print(folder, flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def dead(parent: Path, kind: str = "old") -> Path:
    """Lay out what a killed run leaves."""
    folder = parent / f".lode-{kind}-{'0' * 16}"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "file").write_text("x")
    (parent / f"{folder.name}.lock").touch()
    return folder


def test_folder_is_empty_private_and_gone_at_the_end(tmp_path: Path) -> None:
    with scratch.folder("unpack", tmp_path / "new") as folder:
        assert (folder.parent, names(folder), folder.stat().st_mode & 0o777) == (tmp_path / "new", [], 0o700)
        assert folder.name.startswith(".lode-unpack-")
        (folder / "file").write_text("x")
    assert names(tmp_path / "new") == []


def test_folder_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), scratch.folder("a", tmp_path):
        raise KeyError
    assert names(tmp_path) == []


def test_folder_of_a_dead_run_is_removed_by_the_next_of_any_kind(tmp_path: Path) -> None:
    dead(tmp_path)
    with scratch.folder("other", tmp_path) as folder:
        assert names(tmp_path) == [folder.name, f"{folder.name}.lock"]
    assert names(tmp_path) == []


def test_lock_file_of_a_run_that_died_before_its_folder_was_made_is_removed(tmp_path: Path) -> None:
    dead(tmp_path).rename(tmp_path / "elsewhere")
    scratch.sweep(tmp_path)
    assert names(tmp_path) == ["elsewhere"]


def test_folder_in_use_stays_whoever_sweeps(tmp_path: Path) -> None:
    with scratch.folder("a", tmp_path) as one, scratch.folder("b", tmp_path) as two:
        scratch.sweep(tmp_path)
        assert one.is_dir()
        assert two.is_dir()


def test_what_is_not_a_scratch_folder_stays(tmp_path: Path) -> None:
    for name in (".lode-old-1.lock", "lode-old-0000000000000000.lock", ".lode-x-000000000000000g.lock"):
        (tmp_path / name).touch()
    (tmp_path / f".lode-old-{'1' * 16}").mkdir()  # no lock file: nobody can tell
    before = names(tmp_path)
    scratch.sweep(tmp_path)
    assert names(tmp_path) == before


def test_link_in_place_of_a_dead_folder_is_not_followed(tmp_path: Path) -> None:
    dead(tmp_path).rename(tmp_path / "precious")
    (tmp_path / f".lode-old-{'0' * 16}").symlink_to("precious")
    scratch.sweep(tmp_path)
    assert names(tmp_path / "precious") == ["in"]


def test_folder_with_a_mount_below_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = dead(tmp_path)
    real = os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda path: "" if Path(path) == folder else real(path))
    scratch.sweep(tmp_path)  # everything is mounted below "/"
    assert names(folder) == ["in"]


def test_file_system_without_locks_gives_folders_that_nobody_sweeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(scratch.fcntl, "flock", flock)
    with scratch.folder("a", tmp_path) as folder:
        assert names(tmp_path) == [folder.name]
        scratch.sweep(tmp_path)
        assert folder.is_dir()
    assert names(tmp_path) == []


def test_sweeps_and_new_folders_at_the_same_time_never_meet(tmp_path: Path) -> None:
    stop, faults = threading.Event(), []

    def sweeping() -> None:
        while not stop.is_set():
            scratch.sweep(tmp_path)

    sweepers = [threading.Thread(target=sweeping) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    for number in range(200):
        with scratch.folder("a", tmp_path) as folder:
            (folder / "file").write_text(str(number))
            if (folder / "file").read_text() != str(number):
                faults.append(number)
    stop.set()
    for sweeper in sweepers:
        sweeper.join()
    assert faults == []
    assert names(tmp_path) == []


def test_removing_what_is_read_only_or_absent(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "deep"
    folder.mkdir(parents=True)
    (folder / "file").write_text("")
    folder.chmod(0o500)
    scratch.remove(tmp_path / "work")
    scratch.remove(tmp_path / "work")
    assert not (tmp_path / "work").exists()


@pytest.mark.integration
def test_killed_process_is_cleared_up_after_and_a_live_one_is_left_alone(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", LOOPING, str(tmp_path), "3"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(argv, **pipes) as killed, subprocess.Popen(argv, **pipes) as alive:  # type: ignore[call-overload]
        places = [Path(each.stdout.readline().decode().strip()) for each in (killed, alive)]
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert [names(place) for place in places] == [["0", "1", "2"]] * 2
        with scratch.folder("next", tmp_path):
            assert [place.is_dir() for place in places] == [False, True]
        alive.communicate(b"")
    assert names(tmp_path) == []


@pytest.mark.integration
def test_nothing_is_left_of_kills_at_any_moment(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", LOOPING, str(tmp_path), "2000"]
    left = 0
    for number in range(8):
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 60
            while not any(".lock" in name for name in names(tmp_path)) and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(number / 1000)
            process.send_signal(signal.SIGKILL)
            process.wait()
        left += bool(names(tmp_path))
        scratch.sweep(tmp_path)
        assert names(tmp_path) == []
    assert left
