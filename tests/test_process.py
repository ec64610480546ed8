from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from lode import process
from lode.errors import HostError

pytestmark = pytest.mark.integration


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_output_and_status_come_back() -> None:
    ended = process.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (ended.status, ended.stdout, ended.stderr, ended.timed_out) == (3, "out\n", "err\n", False)


def test_input_is_fed_and_environment_is_only_what_is_given() -> None:
    ended = process.run(["/bin/sh", "-c", "cat; env | grep -v ^_="], env={"A": "1"}, cwd=Path("/"), input=b"text\n")
    assert ended.stdout == "text\nA=1\nPWD=/\n"


def test_input_that_nobody_reads_is_no_error() -> None:
    assert process.run(["true"], input=b"x" * 1_000_000).status == 0


def test_log_holds_both_streams_in_order_after_what_was_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    lines: list[str] = []
    ended = process.run(["sh", "-c", "echo 1; echo 2 >&2; echo 3"], log=log, on_line=lines.append)
    assert log.read_text() == "before\n1\n2\n3\n"
    assert lines == ["1", "2", "3"]
    assert (ended.stdout, ended.stderr) == ("", "")


def test_output_that_is_not_text_survives() -> None:
    ended = process.run([sys.executable, "-c", r"import os; os.write(1, b'\xff\n')"])
    assert ended.stdout.encode(errors="surrogateescape") == b"\xff\n"


def test_a_timeout_stops_the_whole_group() -> None:
    ended = process.run(["sh", "-c", "sleep 60 & echo $!; sleep 60"], timeout_s=0.3)
    assert ended.timed_out
    assert ended.status == 128 + signal.SIGTERM
    assert ended.wall_s < 5
    assert gone(int(ended.stdout))


def test_a_program_that_ignores_the_request_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE_S", 0.2)
    ended = process.run(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], timeout_s=0.5)
    assert (ended.timed_out, ended.status) == (True, 128 + signal.SIGKILL)


def test_what_a_program_leaves_behind_is_killed() -> None:
    ended = process.run(["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"])
    assert ended.status == 0
    assert gone(int(ended.stdout))


def test_setting_the_event_stops_the_program() -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(process.Cancelled):
        process.run(["sleep", "60"], cancel=cancel)


def test_usage_covers_children() -> None:
    ended = process.run(["sh", "-c", f"{sys.executable} -c 'sum(range(10**7))'; true"])
    assert ended.cpu_s > 0.05
    assert ended.peak_memory_mb > 2


def test_a_missing_program_is_named() -> None:
    with pytest.raises(HostError) as caught:
        process.run(["lode-no-such-program"])
    assert str(caught.value) == (
        "the program lode-no-such-program is not on this machine\n  hint: install it, then try again"
    )


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        process.run(["true"], cwd=tmp_path / "gone")
    assert str(caught.value) == f"the folder {tmp_path}/gone to run true in does not exist"


def test_a_program_that_may_not_be_run_is_named(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    with pytest.raises(HostError) as caught:
        process.run([str(program)])
    assert str(caught.value) == f"the program {program} may not be run: Permission denied"
