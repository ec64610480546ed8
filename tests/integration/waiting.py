"""Waiting for programs that a test has started."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(met: Callable[[], bool], otherwise: Callable[[], str] | str, timeout_s: float = 120) -> None:
    """Return when `met` is true; fail with `otherwise` when it is not in time."""
    deadline = time.monotonic() + timeout_s
    while not met():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise if isinstance(otherwise, str) else otherwise())
        time.sleep(0.2)


def running(folder: Path, *words: str) -> list[int]:
    """Return the processes with all of `words` among theirs, of those whose environment names `folder`: this test's."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if set(words) <= set(told) and str(folder).encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue  # it has ended
    return found
