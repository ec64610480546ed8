"""Rattler's solver, asked about records that exist in memory only.

Records reach it as the text of a `repodata.json` in an anonymous memory file: that is several times faster than
records built one by one through its Python classes, and it calls nothing back from its threads.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lode.locking.encoding import Problem

if TYPE_CHECKING:
    import asyncio

Solution = Mapping[str, int]  # name to rank

# An interpreter that ends while one of rattler's threads still holds a finished future crashes, in one of ten runs when
# nothing is done. The thread holds the event loop too, so that the count of references to the loop tells when it lets
# go: within a tenth of a millisecond as a rule, much later on a busy machine.
_POLL_S = 0.002
_POLLS = 500
_GRACE_S = 0.01  # for what the thread does after that


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsolvable:
    """There is no solution; `text` is the solver's own account, which names those involved."""

    text: str


class Solver:
    """A session with the solver; leaving it waits for its threads."""

    def __init__(self) -> None:
        """Make a session; asyncio and rattler, heavy as they are, are imported with the first problem."""
        self._runner: asyncio.Runner | None = None
        self._references = 0  # to the event loop, when no thread of rattler has any

    def __enter__(self) -> Solver:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the solver's threads, and end."""
        if self._runner is not None:
            self._runner.run(_settle(self._references))
            self._runner.close()

    def solve(self, problem: Problem) -> Solution | Unsolvable:
        """Return the preferred solution of `problem`: the same for the same problem."""
        if self._runner is None:
            import asyncio

            self._runner = asyncio.Runner()
            self._references = self._runner.run(_references())
        handle = os.memfd_create("lode-records")
        try:
            with os.fdopen(os.dup(handle), "wb") as file:
                file.write(_repodata(problem))
            return self._runner.run(_solve(problem, f"/proc/self/fd/{handle}"))
        finally:
            os.close(handle)


async def _references() -> int:
    import asyncio

    from rattler.package import PackageName

    await asyncio.sleep(_POLL_S)
    PackageName("any")  # a call into rattler drops what its threads have put away to be dropped
    return sys.getrefcount(asyncio.get_running_loop())


async def _settle(references: int) -> None:
    import asyncio

    for _ in range(_POLLS):
        if await _references() <= references:
            break
    await asyncio.sleep(_GRACE_S)


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
