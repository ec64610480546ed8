"""Rattler's solver, asked about records that exist in memory only.

Records reach it as the text of a `repodata.json` in an anonymous memory file: that is several times faster than
records built one by one through its Python classes, and it calls nothing back from its threads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lode.locking.encoding import Problem

if TYPE_CHECKING:
    import asyncio

Solution = Mapping[str, int]  # name to rank

# An interpreter that ends while one of rattler's threads still holds a finished future crashes in one of ten runs.
_SETTLE_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsolvable:
    """There is no solution; `text` is the solver's own account, which names those involved."""

    text: str


class Solver:
    """A session with the solver; leaving it waits for its threads."""

    def __init__(self) -> None:
        """Make a session; asyncio and rattler, heavy as they are, are imported with the first problem."""
        self._runner: asyncio.Runner | None = None

    def __enter__(self) -> Solver:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the solver's threads, and end."""
        if self._runner is not None:
            from asyncio import sleep

            self._runner.run(sleep(_SETTLE_S))
            self._runner.close()

    def solve(self, problem: Problem) -> Solution | Unsolvable:
        """Return the preferred solution of `problem`: the same for the same problem."""
        if self._runner is None:
            import asyncio

            self._runner = asyncio.Runner()
        handle = os.memfd_create("lode-records")
        try:
            with os.fdopen(os.dup(handle), "wb") as file:
                file.write(_repodata(problem))
            return self._runner.run(_solve(problem, f"/proc/self/fd/{handle}"))
        finally:
            os.close(handle)


async def _solve(problem: Problem, path: str) -> Solution | Unsolvable:
    from rattler.channel import Channel
    from rattler.exceptions import SolverError
    from rattler.repo_data import SparseRepoData
    from rattler.solver import solve_with_sparse_repodata

    records = SparseRepoData(Channel("file:///lode"), "noarch", path)
    try:
        chosen: list[Any] = await solve_with_sparse_repodata(problem.specs, [records], constraints=problem.constraints)
    except SolverError as error:
        return Unsolvable(text=str(error))
    finally:
        records.close()
    return {record.name.normalized: int(str(record.version)) for record in chosen}


def _repodata(problem: Problem) -> bytes:
    packages = {f"{record['name']}-{record['version']}-0.conda": record for record in problem.records}
    document = {"info": {"subdir": "noarch"}, "packages": {}, "packages.conda": packages, "repodata_version": 1}
    return json.dumps(document, separators=(",", ":")).encode()
