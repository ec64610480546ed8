"""CPU seconds of rendering the made-up stack of 300 nodes on 3 targets that `lock` makes, for each package manager.

The renderers alone count, from a lock and recipes that were read before to files in memory. What a process does first,
importing a renderer and compiling its patterns, is in the figure, as it is in every `lode render`.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

NAME = "render"
ROUNDS = 3
HERE = Path(__file__).resolve().parent
ONE = """
import sys, time
from pathlib import Path
from types import ModuleType
from types import ModuleType
from lode.definitions.catalogue import Catalogue
from lode.rendering import renderer
from lode.workflow.lock import files, locked
from lode.workflow.render import reachable
catalogue = Catalogue.open([], here=Path("."))
lock = locked(catalogue, "big")
recipes = reachable(catalogue, lock)
start = time.process_time()
made = renderer(sys.argv[1]).render(lock, recipes=recipes, file=files(catalogue, catalogue.stack("big")))
print(time.process_time() - start, len(made.tree.files), sum(map(len, made.tree.files.values())))
"""


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return the CPU seconds of each renderer, and of all, with their limits."""
    from lode.rendering import RENDERERS

    rows: list[tuple[str, float, str, float | None]] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _lock().make(folder)
        subprocess.run([sys.executable, "-m", "lode", "lock", "big"], cwd=folder, check=True, capture_output=True)
        total = 0.0
        for name in RENDERERS:
            runs = [_run(name, folder) for _ in range(ROUNDS)]
            best = min(runs)
            total += best[0]
            rows.append((f"{name}, {best[1]:.0f} files, {best[2] / 1e6:.1f} MB", best[0], "s CPU", 0.5))
    return [*rows, ("all of them", total, "s CPU", 2.0), ("load average", os.getloadavg()[0], "", None)]


def _run(name: str, folder: Path) -> tuple[float, float, float]:
    """Return the CPU seconds of one rendering in a process of its own, and its files and bytes."""
    ran = subprocess.run(
        [sys.executable, "-c", ONE, name], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.split()
    return float(ran[0]), float(ran[1]), float(ran[2])


def _lock() -> ModuleType:
    """Return the benchmark that makes the stack."""
    spec = importlib.util.spec_from_file_location("benchmark_lock", HERE / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
