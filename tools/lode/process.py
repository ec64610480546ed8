"""Running programs: an argument list, never a shell, in a process group of its own that is stopped as a whole.

Everything outside `building` and `sourcing` that needs a program starts it here. What is special to a program (which
one, what its output means) belongs to its caller.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lode.errors import HostError

_GRACE_S = 3.0  # between asking a group to stop and killing it
_POLL_S = 0.1  # how often a cancellation is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a program ended and what it used, its waited-for children included."""

    argv: tuple[str, ...]
    status: int  # exit status; 128 + N when signal N ended it
    stdout: str  # undecodable bytes as surrogates; with a log or `on_line`, both streams in order of writing
    stderr: str  # empty with a log or `on_line`
    timed_out: bool
    wall_s: float
    cpu_s: float
    peak_memory_mb: int  # of the largest single process


class Cancelled(BaseException):
    """The event given as `cancel` was set; the process group has been stopped."""


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    log: Path | None = None,
    input: bytes | None = None,  # noqa: A002 - the word of subprocess
    on_line: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
) -> Completed:
    """Return how `argv` ended, whatever its status; nothing of its process group outlives the call.

    `env` None: the caller's environment. `log`: a file that both streams are appended to as they come. `on_line` is
    called with each line of both streams, without its end, from another thread. HostError when the program is not
    there; Cancelled once `cancel` is set; a timeout is told by `timed_out`.
    """
    merged = log is not None or on_line is not None
    started = time.monotonic()
    process = _start(argv, cwd, env, merged=merged)
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(log.open("ab")) if log else None
        out, err = _Reader(process.stdout, sink, on_line), _Reader(process.stderr, None, None)
        writer = threading.Thread(target=_feed, args=(process.stdin, input), daemon=True)
        writer.start()
        timed_out = False
        try:
            timed_out = not _ended(process, timeout_s, cancel)
            if timed_out:
                _stop(process)
            usage = _reap(process)
        except BaseException:
            _stop(process)
            _reap(process)
            raise
        finally:
            _kill_group(process.pid)  # what it left behind: nobody waits for daemons
            out.join()
            err.join()
            writer.join(timeout=1)
    return Completed(
        argv=tuple(argv),
        status=process.returncode if process.returncode >= 0 else 128 - process.returncode,
        stdout=out.text(),
        stderr=err.text(),
        timed_out=timed_out,
        wall_s=time.monotonic() - started,
        cpu_s=usage[0],
        peak_memory_mb=usage[1],
    )


def _start(
    argv: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None, *, merged: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if cwd is not None and not cwd.is_dir():
            raise HostError(f"the folder {cwd} to run {argv[0]} in does not exist") from error
        raise HostError(f"the program {argv[0]} is not on this machine", hint="install it, then try again") from error
    except PermissionError as error:
        raise HostError(f"the program {argv[0]} may not be run: {error.strerror}") from error


def _ended(process: subprocess.Popen[bytes], timeout_s: float | None, cancel: threading.Event | None) -> bool:
    """Return True once the process has ended, False at the timeout; Cancelled when the event is set."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    descriptor = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            wait = min(x for x in (left, _POLL_S if cancel else None, 3600.0) if x is not None)
            if poll.poll(max(1, int(wait * 1000))):
                return True
            if cancel is not None and cancel.is_set():
                raise Cancelled(process.args)
    finally:
        os.close(descriptor)


def _reap(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Wait for the process and return CPU seconds and peak memory in MiB of it and its children."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the group to stop, and kill it when it does not."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            break
        time.sleep(0.01)
    _kill_group(process.pid)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _feed(stdin: IO[bytes] | None, content: bytes | None) -> None:
    if stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ValueError):
        if content:
            stdin.write(content)
        stdin.close()


class _Reader:
    """A thread that reads a stream to its end: into memory, and on to a file and a listener."""

    def __init__(self, stream: IO[bytes] | None, sink: IO[bytes] | None, listener: Callable[[str], None] | None):
        self._stream, self._sink, self._listener = stream, sink, listener
        self._lines: list[bytes] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        if stream is not None:
            self._thread.start()

    def _read(self) -> None:
        assert self._stream is not None
        for line in self._stream:
            if self._sink is not None:
                self._sink.write(line)
                self._sink.flush()
            else:
                self._lines.append(line)
            if self._listener is not None:
                self._listener(line.rstrip(b"\r\n").decode(errors="surrogateescape"))

    def join(self) -> None:
        """Wait until the stream has ended; give up on a process that left the group and holds it open."""
        if self._stream is not None:
            self._thread.join(timeout=_GRACE_S)
            if not self._thread.is_alive():
                self._stream.close()

    def text(self) -> str:
        """Return what was read and not sent to a file."""
        return b"".join(self._lines).decode(errors="surrogateescape")
