"""Keeping the programs of an unsealed build together: none outlives the build or the program that asked for it.

Inside a seal the kernel does this, for a process namespace ends with its first process. Without one, the keeper stands
between Lode and the worker: what loses its parent falls to the keeper (it is a "child subreaper", prctl(2)), also what
has left the process group, and the keeper ends all of it when the worker ends, when it is asked to, and when Lode dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_PATIENCE_S = 5.0  # with programs that the kernel does not let die yet
_STOPPED = 128 + signal.SIGTERM


class _Stop(Exception):
    """The keeper was asked to end the build."""


def run(asker: int, work: Callable[[], int]) -> int:
    """Return the status of `work`, done in a child process, once nothing that it started is left.

    `asker` is the process that started this one: when it dies, the work is ended. The status is 128 + N when signal N
    ended the work.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, _stop)
    status = _STOPPED
    try:
        worker = os.fork()
        if worker == 0:
            _work(work)
        with contextlib.suppress(ProcessLookupError):  # no such asker any more
            status = _wait(asker, worker)
    except _Stop:
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end_all()
    return status


def _work(work: Callable[[], int]) -> None:
    """Do the work and exit, whatever happens: the child must never return into the keeper."""
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        status = work()
    except Exception:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


def _stop(_number: int, _frame: Any) -> None:
    raise _Stop


def _wait(asker: int, worker: int) -> int:
    """Return the worker's status, or that of a stopped one when the asker dies first."""
    with contextlib.ExitStack() as stack:
        watched = select.poll()
        for process in (asker, worker):
            descriptor = os.pidfd_open(process)
            stack.callback(os.close, descriptor)
            watched.register(descriptor, select.POLLIN)
        if os.getppid() == asker:  # else it died before it was watched, and its number may be another's
            watched.poll()
    ended, status = os.waitpid(worker, os.WNOHANG)
    if not ended:
        return _STOPPED
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _end_all() -> None:
    """Kill everything below this process until nothing is left."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        for process in _below(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def _below(root: int) -> list[int]:
    """Return the numbers of the processes that `root` and those below it have started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()  # the name before may hold anything
        except OSError:  # it ended meanwhile
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found
