"""The three faces of progress, against recorded output."""

from __future__ import annotations

import io
import threading

import pytest

from lode.progress import Lines, Silent, Terminal, amount, duration, face, figures, size


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_say_first_step_then_at_most_one_line_in_the_interval() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, interval_s=10, clock=clock)
    lines.start("hdf5 1.14.6", total=100, unit="files")
    lines.step("hdf5 1.14.6", "configuring")
    clock.now = 2
    lines.step("hdf5 1.14.6", "compiling")
    clock.now = 12
    lines.advance("hdf5 1.14.6", 25)
    clock.now = 13
    lines.advance("hdf5 1.14.6", 25)
    clock.now = 95
    lines.finish("hdf5 1.14.6")
    lines.note("2 nodes built")
    assert stream.getvalue() == (
        "hdf5 1.14.6: configuring\n"
        "hdf5 1.14.6: compiling, 25 of 100 files, 36 s left\n"
        "hdf5 1.14.6: done in 1 min 35 s\n"
        "2 nodes built\n"
    )


def test_lines_leave_out_the_duration_of_quick_tasks() -> None:
    stream = io.StringIO()
    lines = Lines(stream, clock=Clock())
    lines.start("zlib 1.3.1")
    lines.finish("zlib 1.3.1", "cached")
    assert stream.getvalue() == "zlib 1.3.1: cached\n"


def test_lines_accept_reports_on_a_task_that_was_not_started() -> None:
    stream = io.StringIO()
    lines = Lines(stream, clock=Clock())
    lines.step("zlib", "unpacking")
    lines.finish("zlib", "failed")
    assert stream.getvalue() == "zlib: unpacking\nzlib: failed\n"


def test_lines_of_many_threads_stay_whole() -> None:
    stream = io.StringIO()
    lines = Lines(stream, clock=Clock())

    def work(name: str) -> None:
        for number in range(100):
            lines.start(f"{name}{number}")
            lines.finish(f"{name}{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {f"{name}{number}: done" for name in "abcd" for number in range(100)}
    assert sorted(stream.getvalue().splitlines()) == sorted(expected)


def test_terminal_keeps_lines_and_gives_the_cursor_back_when_the_last_task_ends() -> None:
    stream, clock = io.StringIO(), Clock()
    bars = Terminal(stream, width=100, clock=clock)
    bars.start("nest 2.4.0", total=10_000_000, unit="B")
    bars.advance("nest 2.4.0", 5_000_000)
    bars.step("nest 2.4.0", "[compiling]")
    bars.note("a line [with brackets]")
    clock.now = 5
    bars.finish("nest 2.4.0")
    screen = stream.getvalue()
    assert "a line [with brackets]" in screen
    assert "nest 2.4.0: done in 5 s" in screen
    assert screen.count("\x1b[?25l") == screen.count("\x1b[?25h") == 1
    assert screen.index("nest 2.4.0: done") < screen.index("\x1b[?25h")


def test_terminal_shows_a_failure_however_quick() -> None:
    stream = io.StringIO()
    bars = Terminal(stream, width=80, clock=Clock())
    bars.start("nest")
    bars.finish("nest", "failed")
    bars.start("zlib")
    bars.finish("zlib", "cached")
    bars.close()
    assert "nest: failed in 0 s" in stream.getvalue()
    assert "zlib: cached" not in stream.getvalue()


def test_terminal_ignores_reports_on_a_task_that_was_not_started() -> None:
    bars = Terminal(io.StringIO(), width=80, clock=Clock())
    bars.advance("zlib", 1)
    bars.step("zlib", "unpacking")
    bars.finish("zlib")
    bars.close()


def test_terminal_takes_reports_from_many_threads() -> None:
    stream = io.StringIO()
    bars = Terminal(stream, width=80)

    def work(name: str) -> None:
        for number in range(50):
            bars.start(f"{name}{number}", total=1)
            bars.advance(f"{name}{number}", 1)
            bars.finish(f"{name}{number}", "failed")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stream.getvalue().count(": failed in 0 s") == 200


@pytest.mark.parametrize(
    ("terminal", "quiet", "kind"), [(False, False, Lines), (True, False, Terminal), (True, True, Silent)]
)
def test_face_fits_where_it_is_shown(terminal: bool, quiet: bool, kind: type) -> None:
    assert type(face(io.StringIO(), terminal=terminal, quiet=quiet)) is kind


def test_face_is_lines_where_rich_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rich.console", None)
    assert type(face(io.StringIO(), terminal=True)) is Lines


def test_silence_takes_every_report() -> None:
    silent = Silent()
    silent.start("a", total=1)
    silent.advance("a", 1)
    silent.step("a", "b")
    silent.finish("a")
    silent.note("c")
    silent.close()


def test_figures_name_amount_rate_and_time_left() -> None:
    assert figures(12_300_000, 45_000_000, "B", 4) == "12.3 MB of 45.0 MB, 3.1 MB/s, 11 s left"
    assert figures(3, 20, "nodes", 60) == "3 of 20 nodes, 5 min 40 s left"
    assert figures(3, None, "nodes", 60) == "3 nodes, 1 min"
    assert figures(0, 20, "nodes", 7) == "7 s"


def test_sizes_and_spans_are_short() -> None:
    assert [size(n) for n in (0, 999, 1000, 99_400, 123_456, 999_499_999, 2.5e12)] == [
        "0 B", "999 B", "1.0 kB", "99.4 kB", "123 kB", "999 MB", "2.5 TB",
    ]  # fmt: skip
    assert [duration(s) for s in (0.4, 59.6, 61, 3600, 7500)] == ["0 s", "1 min", "1 min 1 s", "1 h 0 min", "2 h 5 min"]
    assert amount(3, None, "") == "3"
    assert amount(59, 100, "%") == "59 %"
