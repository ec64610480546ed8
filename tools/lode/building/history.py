"""How long packages took to build on this machine, for the order of work and for saying how long the rest will take."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from pathlib import Path

from lode import tree
from lode.building.artifact import Artifact
from lode.definitions.recipe import System
from lode.locking.graph import Node

_COMPACT_BYTES = 256 * 1024
_BASE_S = {System.BUNDLE: 1.0, System.WHEEL: 3.0, System.PYTHON: 8.0}
_OTHER_S = 10.0
_PER_MB_S = 15.0  # CPU seconds per megabyte of a source archive: zlib 4, HDF5 5, NEST 16, CPython 8


class History:
    """CPU seconds by target and package, one JSON line for each build in the order of time."""

    def __init__(self, path: Path) -> None:
        """Use the file `path`, which need not exist yet."""
        self._path = path

    def times(self) -> Mapping[tuple[str, str], float]:
        """Return the CPU seconds of the latest build of each (target, package); damaged lines are passed over."""
        times: dict[tuple[str, str], float] = {}
        with contextlib.suppress(OSError), self._path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError, TypeError):
                    target, package, cpu_s = json.loads(line)
                    if math.isfinite(took := float(cpu_s)) and took >= 0:
                        times[str(target), str(package)] = took
        return times

    def add(self, artifact: Artifact) -> None:
        """Remember how long a build took; that it cannot be remembered is no reason to fail."""
        line = json.dumps([artifact.target, artifact.package, artifact.record.cpu_s])
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
            if self._path.stat().st_size > _COMPACT_BYTES:
                lines = [json.dumps([*key, cpu_s]) for key, cpu_s in sorted(self.times().items())]
                tree.replace(self._path, "".join(f"{line}\n" for line in lines).encode())


def estimate(node: Node, target: str, times: Mapping[tuple[str, str], float]) -> float:
    """Return the CPU seconds that building `node` will take: as last time, else by build system and size of source.

    Python packages with nothing to compile take about as long as each other; numpy takes as long as a C library.
    """
    known = times.get((target, node.package))
    if known is not None:
        return max(known, 0.1)
    compiles = node.build.system is System.PYTHON and node.languages
    if node.build.system in _BASE_S and not compiles:
        return _BASE_S[node.build.system]
    size_mb = sum(source.size or 0 for source in node.sources if target in source.targets) / 1e6
    return _OTHER_S + _PER_MB_S * size_mb
