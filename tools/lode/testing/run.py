"""Running the tests of a prefix: each in its own folder, with a clean environment, at the prefix's final path.

A test sees an operating system (the host's, or the target's own runtime, which has no compiler), the prefix at its
final path (read-only) and a folder of its own that holds its files and is the current trial. It has no network but
loopback. `setup.sh` of the prefix is sourced first: what a test sees is what a user sees.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from lode import scratch
from lode.building.seal import Seal
from lode.installing.prefix import Prefix
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.testing import trial
from lode.testing.results import Outcome, TestReport, TestResult
from lode.testing.suite import Case, select


def run_tests(
    prefix: Prefix,
    lock: Lock,
    *,
    packages: Sequence[str] = (),
    seal: Seal,
    compiling: Seal | None = None,
    progress: Progress,
    jobs: int = 1,
    build_host: bool = True,
    started: str = "",
) -> TestReport:
    """Return what the tests of the prefix gave, or those of `packages` ("stack" for the stack's own).

    `seal` holds the tests and `compiling` what they compile: the runtime and the builder of the target, or one and the
    same. At most `jobs` tests run at once. `build_host`: this machine is to have the target's compiler, so that its
    absence is a failure and not a reason to skip. `started` is the time that the report tells. UsageError for a package
    that is not in the prefix, HostError when the prefix cannot be shown at its final path.
    """
    cases = select(lock, prefix.target, group=prefix.group, packages=packages)
    compiler = lock.target(prefix.target).definition.compiler
    begun = time.monotonic()
    progress.start("tests", total=len(cases), unit="tests")
    with scratch.folder("test") as folder:
        stop = threading.Event()
        bench = trial.Bench(
            prefix=prefix, compiler=compiler, seal=seal, compiling=compiling or seal, build_host=build_host, stop=stop
        )
        results = _run_all(bench, cases, folder, progress, jobs)
    progress.finish("tests", "failed" if any(result.outcome is Outcome.FAILED for result in results) else "done")
    return TestReport(
        stack=prefix.stack,
        release=prefix.release,
        target=prefix.target,
        group=prefix.group,
        final_path=prefix.final_path,
        lock_digest=lock.digest,
        inventory=prefix.inventory,
        seal=f"{seal.kind}: {seal.reason}" if seal.reason else seal.kind,
        started=started,
        duration_s=time.monotonic() - begun,
        results=results,
    )


def _run_all(
    bench: trial.Bench, cases: Sequence[Case], work: Path, progress: Progress, jobs: int
) -> tuple[TestResult, ...]:
    """Return the results in the order of `cases`; on an interruption the tests under way are stopped first."""

    def run(number: int, case: Case) -> TestResult:
        progress.start(case.title)
        folder = work / str(number)
        folder.mkdir()
        result = trial.run(bench, case, folder)
        progress.finish(case.title, result.outcome)
        progress.advance("tests", 1)
        return result

    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        futures = [pool.submit(run, number, case) for number, case in enumerate(cases)]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            bench.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(future.result() for future in futures)
