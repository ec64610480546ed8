"""How long work is shown: the interface that stations report to, and its three faces (terminal, lines, silence)."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import TaskID

Clock = Callable[[], float]


class Progress(Protocol):
    """What a station tells whoever watches. Calls may come from any thread."""

    def start(self, task: str, *, total: float | None = None, unit: str = "") -> None:
        """Say that `task` has begun, of `total` units (`"B"` for bytes; None: length unknown)."""
        ...

    def advance(self, task: str, amount: float) -> None:
        """Say that `amount` more units of `task` are done."""
        ...

    def step(self, task: str, text: str) -> None:
        """Say what `task` is doing now, `"compiling"`."""
        ...

    def finish(self, task: str, outcome: str = "done") -> None:
        """Say that `task` has ended, and how: `"done"`, `"cached"`, `"failed"`."""
        ...

    def note(self, text: str) -> None:
        """Show a line that stays."""
        ...


class Face(Progress, Protocol):
    """A watcher that is put away when the command ends."""

    def close(self) -> None:
        """Leave the screen as it was found; may be called twice."""
        ...


def face(stream: TextIO, *, terminal: bool, quiet: bool = False) -> Face:
    """Return the watcher for `stream`: nothing when `quiet`, bars on a terminal, plain lines otherwise."""
    if quiet:
        return Silent()
    if terminal:
        try:
            return Terminal(stream)
        except ImportError:
            pass  # rich is missing or broken: lines do
    return Lines(stream)


class Silent:
    """A watcher that shows nothing."""

    def start(self, task: str, *, total: float | None = None, unit: str = "") -> None:
        """Show nothing."""

    def advance(self, task: str, amount: float) -> None:
        """Show nothing."""

    def step(self, task: str, text: str) -> None:
        """Show nothing."""

    def finish(self, task: str, outcome: str = "done") -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Do nothing."""


class _Task:
    """One task as `Lines` remembers it."""

    __slots__ = ("doing", "done", "said", "started", "total", "unit")

    def __init__(self, started: float, total: float | None, unit: str) -> None:
        self.started = started
        self.total = total
        self.unit = unit
        self.done = 0.0
        self.doing = ""
        self.said: float | None = None  # when its last line was written


class Lines:
    """A watcher that writes plain lines: how a task ended always, how far it is once in `interval_s` at most."""

    def __init__(self, stream: TextIO, *, interval_s: float = 10, clock: Clock = time.monotonic) -> None:
        """Write to `stream`."""
        self._stream = stream
        self._interval_s = interval_s
        self._clock = clock
        self._tasks: dict[str, _Task] = {}
        self._lock = threading.Lock()

    def start(self, task: str, *, total: float | None = None, unit: str = "") -> None:
        """Remember the task; its first step or its end is what is written."""
        with self._lock:
            self._tasks[task] = _Task(self._clock(), total, unit)

    def advance(self, task: str, amount: float) -> None:
        """Write how far the task is, if its last line is long enough ago."""
        with self._lock:
            known = self._known(task)
            known.done += amount
            now = self._clock()
            if now - (known.started if known.said is None else known.said) >= self._interval_s:
                self._say(task, known, now)

    def step(self, task: str, text: str) -> None:
        """Write the first step of a task, and later ones if its last line is long enough ago."""
        with self._lock:
            known = self._known(task)
            known.doing = text
            now = self._clock()
            if known.said is None or now - known.said >= self._interval_s:
                self._say(task, known, now)

    def finish(self, task: str, outcome: str = "done") -> None:
        """Write how the task ended, and its duration from one second on."""
        with self._lock:
            known = self._known(task)
            del self._tasks[task]
            lasted = self._clock() - known.started
            self._write(f"{task}: {outcome}" + (f" in {duration(lasted)}" if lasted >= 1 else ""))

    def note(self, text: str) -> None:
        """Write the line."""
        with self._lock:
            self._write(text)

    def close(self) -> None:
        """Do nothing: every line is already written."""

    def _known(self, task: str) -> _Task:
        return self._tasks.setdefault(task, _Task(self._clock(), None, ""))

    def _say(self, task: str, known: _Task, now: float) -> None:
        known.said = now
        parts = [known.doing] if known.doing else []
        if known.done:
            parts.append(amount(known.done, known.total, known.unit))
            left = time_left(known.done, known.total, now - known.started)
            if left is not None:
                parts.append(f"{duration(left)} left")
        self._write(f"{task}: {', '.join(parts)}")

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class Terminal:
    """A watcher that shows a line with a bar for each running task, below the lines that stay.

    The display is there only while a task runs, so that questions, errors and the command's own output are not
    written into it.
    """

    def __init__(self, stream: TextIO, *, width: int | None = None, clock: Clock = time.monotonic) -> None:
        """Draw on `stream`; ImportError when rich is missing."""
        from rich.console import Console

        self._console = Console(file=stream, force_terminal=True, width=width, highlight=False)
        self._clock = clock
        self._lock = threading.RLock()
        self._display: Any = None
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}

    def start(self, task: str, *, total: float | None = None, unit: str = "") -> None:
        """Show a bar for the task."""
        with self._lock:
            if self._display is None:
                self._display = self._new_display()
                self._display.start()
                atexit.register(self.close)
            if task in self._tasks:
                self._display.remove_task(self._tasks[task])
            self._tasks[task] = self._display.add_task(task, total=total, unit=unit, doing="")
            self._started[task] = self._clock()

    def advance(self, task: str, amount: float) -> None:
        """Move the task's bar."""
        with self._lock:
            if task in self._tasks:
                self._display.advance(self._tasks[task], amount)

    def step(self, task: str, text: str) -> None:
        """Show what the task is doing, beside its bar."""
        with self._lock:
            if task in self._tasks:
                self._display.update(self._tasks[task], doing=text)

    def finish(self, task: str, outcome: str = "done") -> None:
        """Replace the task's bar by a line that stays; a cached or quick task leaves none."""
        with self._lock:
            if task not in self._tasks:
                return
            self._display.remove_task(self._tasks.pop(task))
            lasted = self._clock() - self._started.pop(task)
            if outcome not in ("done", "cached") or lasted >= 1:
                colour = {"done": "green", "cached": "green", "failed": "red"}.get(outcome, "yellow")
                self._print(f"{task}: {outcome} in {duration(lasted)}", colour)
            if not self._tasks:
                self.close()

    def note(self, text: str) -> None:
        """Print the line above the bars."""
        with self._lock:
            self._print(text, "")

    def close(self) -> None:
        """Take the bars away and show the cursor again."""
        with self._lock:
            if self._display is not None:
                self._display.stop()
                self._display = None
                self._tasks.clear()
                self._started.clear()
                atexit.unregister(self.close)

    def _print(self, text: str, style: str) -> None:
        self._console.print(text, style=style or None, markup=False, soft_wrap=True)

    def _new_display(self) -> Any:
        from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
        from rich.progress import Progress as Bars
        from rich.text import Text

        class Figures(ProgressColumn):
            """How much is done, how fast, and how long it will take."""

            def render(self, task: Task) -> Text:
                return Text(figures(task.completed, task.total, task.fields["unit"], task.elapsed or 0))

        return Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            Figures(),
            TextColumn("{task.fields[doing]}", markup=False, style="dim"),
            console=self._console,
            transient=True,
            get_time=self._clock,
            refresh_per_second=8,
        )


def figures(done: float, total: float | None, unit: str, elapsed_s: float) -> str:
    """Return `12 of 45 MB, 3.1 MB/s, 11 s left`, or the time so far for a task of unknown length."""
    if not done:
        return duration(elapsed_s)
    parts = [amount(done, total, unit)]
    if unit == "B" and elapsed_s > 0:
        parts.append(f"{size(done / elapsed_s)}/s")
    left = time_left(done, total, elapsed_s)
    parts.append(duration(elapsed_s) if left is None else f"{duration(left)} left")
    return ", ".join(parts)


def amount(done: float, total: float | None, unit: str) -> str:
    """Return `3 of 20 nodes`, or `3 nodes` when the total is unknown; bytes in kB, MB, GB; `59 %`."""
    if unit == "B":
        return size(done) if total is None else f"{size(done)} of {size(total)}"
    if unit == "%":
        return f"{done:.0f} %"
    text = f"{done:.0f}" if total is None else f"{done:.0f} of {total:.0f}"
    return f"{text} {unit}" if unit else text


def size(size_bytes: float) -> str:
    """Return a number of bytes with a decimal unit, `3.1 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 999.5:
            return f"{size_bytes:.0f} {unit}" if unit == "B" or size_bytes >= 99.5 else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def duration(seconds: float) -> str:
    """Return a time span in at most two units, `41 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def time_left(done: float, total: float | None, elapsed_s: float) -> float | None:
    """Return the seconds that the rest takes at the rate so far; None when that cannot be told."""
    if total is None or done <= 0 or elapsed_s <= 0 or done >= total:
        return None
    return elapsed_s / done * (total - done)
