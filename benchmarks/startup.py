"""How much the command computes to answer `lode --help`, and to refuse unknown names."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

NAME = "startup"
ROUNDS = 15
COMMANDS = {
    "lode --help": (["--help"], 0.2),
    "lode build of an unknown stack": (["build", "no-such-stack"], 0.3),
    "lode show of an unknown recipe": (["show", "no-such-recipe"], 0.3),
}


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return rows of name, figure, unit and limit (None: none): median CPU time of each command."""
    rows: list[tuple[str, float, str, float | None]] = []
    for name, (arguments, limit) in COMMANDS.items():
        times = []
        for _ in range(ROUNDS):
            before = _cpu_s()
            subprocess.run([sys.executable, "-I", "-m", "lode", *arguments], capture_output=True, check=False)
            times.append(_cpu_s() - before)
        rows.append((name, statistics.median(times), "CPU s", limit))
    return rows


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
