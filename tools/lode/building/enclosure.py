"""Running a command inside a seal, whichever it is: a bubblewrap root of this host or of a target, or a container."""

from __future__ import annotations

import threading
from pathlib import Path

from lode import process
from lode.building.command import Command
from lode.building.seal import Seal, sealed


def run(
    seal: Seal,
    command: Command,
    *,
    timeout_s: float | None = None,
    cancel: threading.Event | None = None,
) -> process.Completed:
    """Return how `command` ended inside `seal`, without a network but its own loopback."""
    if seal.kind == "docker":
        from lode.building import engine

        return engine.run(seal, command, timeout_s=timeout_s, cancel=cancel)
    argv = sealed(seal, command.argv, binds=command.binds, env=command.env, cwd=command.cwd)
    return process.run(argv, cwd=Path("/"), env={"PATH": "/usr/bin:/bin"}, timeout_s=timeout_s, cancel=cancel)
