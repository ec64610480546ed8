"""A release: every station in order, and a folder that holds what they left.

Each station finds what is already done: a release that is complete is a no-op, one that was killed goes on where it
was. The folder's files are replaced one by one, each at once, the index last.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import filelock

from lode import tree
from lode.config import Places
from lode.definitions.catalogue import Catalogue
from lode.digest import Digest
from lode.errors import DefinitionError, Fault, HostError, LockError, LodeError, Place, TestFailure
from lode.installing.prefix import Prefix
from lode.locking import lockfile
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.testing import results
from lode.testing.results import Outcome, TestReport
from lode.workflow import build as building
from lode.workflow import delivery as delivering
from lode.workflow import matrix as matrices
from lode.workflow import report as reporting
from lode.workflow import seals
from lode.workflow import target as systems
from lode.workflow.delivery import Delivery, Desk, Wishes
from lode.workflow.lock import relock
from lode.workflow.signing import SignedRelease

_WAIT_S = 2  # how long another release of the same stack is waited for before this is said


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedTarget:
    """What a release left for one target."""

    target: str
    built: int  # nodes that this run built; the others were in the cache
    nodes: int
    prefix: Path
    final_path: str
    inventory: Digest
    tests: Mapping[str, int]  # outcome to count
    tested: bool  # by this run; False: the tests of this very tree had passed before


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release folder that is complete."""

    folder: Path
    stack: str
    release: str
    lock_digest: Digest
    report: Path
    targets: tuple[ReleasedTarget, ...]
    delivery: Delivery
    signed: SignedRelease | None  # None: the delivery says why in `left`
    unable: Mapping[str, str]  # targets of the stack that this machine cannot build, and why


def release(
    catalogue: Catalogue,
    reference: str,
    *,
    targets: Sequence[str] = (),
    places: Places,
    folder: Path | None = None,
    plan: building.Plan,
    environ: Mapping[str, str],
    now: datetime.datetime,
    wishes: Wishes,
    progress: Progress,
    test_again: bool = False,
) -> Release:
    """Return the complete release of the stack `reference`, in `folder` (default: the user's own for releases).

    `targets`: those to build, by default all that this machine can. `now` is the time told by test reports and
    signatures. Every station's own errors; TestFailure, with the report in place but nothing delivered, when tests
    fail.
    """
    lock = checked_lock(catalogue, reference, progress=progress)
    names, unable = _targets(lock, targets, places=places, environ=environ, progress=progress)
    place = folder or places.releases / lock.stack / lock.release
    with _alone(place, progress):
        pairs = tuple(
            _target(
                lock,
                catalogue,
                building.choose_target(lock, name),
                place,
                places=places,
                plan=plan,
                environ=environ,
                now=now.isoformat(timespec="seconds"),
                progress=progress,
                test_again=test_again,
            )
            for name in names
        )
        released = tuple(one for one, _ in pairs)
        if len(released) > 1:
            matrices.write([matrices.of_release(place)], place)
        tree.replace(place / reporting.LOCK, lockfile.dump(lock))
        page = reporting.write_report(place)
        _refuse_failures(place, released)
        desk = Desk(
            catalogue=catalogue,
            lock=lock,
            folder=place,
            places=places,
            environ=environ,
            now=now,
            progress=progress,
            wishes=wishes,
        )
        delivery = delivering.deliver(desk, [laid for _, laid in pairs])
        page = reporting.write_report(place)
        signed, left = delivering.sign(desk, delivery.left)
    return Release(
        folder=place,
        stack=lock.stack,
        release=lock.release,
        lock_digest=lock.digest,
        report=page,
        targets=released,
        delivery=replace(delivery, left=left),
        signed=signed,
        unable=unable,
    )


def _targets(
    lock: Lock, asked: Sequence[str], *, places: Places, environ: Mapping[str, str], progress: Progress
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Return the targets to release, those asked for or all that this machine can build, and why not the others."""
    if asked:
        return tuple(dict.fromkeys(asked)), {}
    able, unable = systems.buildable(lock, places=places, environ=environ)
    if not able:
        return (building.choose_target(lock, None),), {}  # whose errors say what this machine lacks
    for name, reason in unable.items():
        progress.note(f"not for {name}: {reason}")
    return able, unable


def checked_lock(catalogue: Catalogue, reference: str, *, progress: Progress) -> Lock:
    """Return the committed lock, which is what the definitions yield today.

    DefinitionError with every fault of the stack's own definitions; LockError when the lock is missing, unsound or out
    of date.
    """
    from lode.workflow.check import check

    stack = catalogue.stack(reference)
    faults = check(catalogue, catalogue.lock_path(stack).parent).faults
    if wrong := [fault for fault in faults if not fault.warning]:
        raise DefinitionError.of(wrong)
    made = relock(catalogue, reference)
    hint = f"`lode lock {reference}`, read what changes, and commit it"
    if made.unread is not None:
        raise made.unread
    where = Place(file=catalogue.shown(made.path))
    if made.previous is None:
        raise LockError(f"{stack.name}@{stack.release} has no lock yet", place=where, hint=hint)
    if made.changed:
        raise LockError("the lock is not what the definitions say today", place=where, hint=hint)
    progress.note(f"{stack.name}@{stack.release}: definitions and lock agree, {len(made.lock.nodes)} nodes")
    return made.lock


def _target(
    lock: Lock,
    catalogue: Catalogue,
    target: str,
    folder: Path,
    *,
    places: Places,
    plan: building.Plan,
    environ: Mapping[str, str],
    now: str,
    progress: Progress,
    test_again: bool,
) -> tuple[ReleasedTarget, Prefix]:
    from lode.building.schedule import Outcome as Built
    from lode.workflow.prefix import prefix as lay_down

    built = building.build(lock, catalogue, target, places=places, plan=plan, environ=environ, progress=progress)
    reporting.save_builds(folder, target, built.artifacts)
    laid = lay_down(lock, catalogue, target, built.artifacts, folder / target / reporting.PREFIX, progress=progress)
    report = None if test_again else _passed_before(folder, laid)
    tested = report is None
    if report is None:
        from lode.testing.run import run_tests
        from lode.workflow.tools import examine_tools, with_tools

        bench = seals.for_tests(lock.target(target).definition, "auto", seals.Site(cache=places.cache, environ=environ))
        report = run_tests(
            laid, lock, seal=bench.tests, compiling=bench.compiling, progress=progress, jobs=plan.jobs, started=now
        )
        tools = examine_tools(
            lock,
            catalogue,
            target,
            places=places,
            jobs=plan.jobs,
            started=now,
            progress=progress,
            again=test_again,
            seal=bench.compiling,
        )
        report = with_tools(report, tools)
        reporting.save_tests(folder, report)
    counts = {outcome.value: sum(result.outcome is outcome for result in report.results) for outcome in Outcome}
    done = ReleasedTarget(
        target=target,
        built=sum(result.outcome is Built.BUILT for result in built.results),
        nodes=len(built.results),
        prefix=laid.root,
        final_path=laid.final_path,
        inventory=laid.inventory,
        tests=counts,
        tested=tested,
    )
    return done, laid


def _passed_before(folder: Path, laid: Prefix) -> TestReport | None:
    """Return the report of an earlier run on this very tree in which nothing failed, None if there is none."""
    path = folder / laid.target / "tests.json"
    try:
        report = results.load(path.read_bytes(), str(path))
    except (OSError, LodeError):
        return None
    same = report.inventory == laid.inventory and report.lock_digest == laid.lock_digest
    failed = any(result.outcome is Outcome.FAILED for result in report.results)
    return report if same and not failed else None


def _refuse_failures(folder: Path, released: Sequence[ReleasedTarget]) -> None:
    failed = [(one, count) for one in released if (count := one.tests[Outcome.FAILED.value])]
    if failed:
        raise TestFailure.of(
            [
                Fault(
                    message=f"{count} test{'' if count == 1 else 's'} failed on {one.target}",
                    place=Place(file=str(folder / one.target / "tests.html")),
                    hint=f"`lode test {one.prefix}` runs them again and prints what they say",
                )
                for one, count in failed
            ]
        )


@contextlib.contextmanager
def _alone(folder: Path, progress: Progress) -> Iterator[None]:
    """Keep two releases into one folder apart; HostError when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / ".release.lock")
        try:
            lock.acquire(timeout=_WAIT_S)
        except filelock.Timeout:
            progress.note(f"waiting: another release into {folder} is under way")
            lock.acquire()
    except OSError as error:
        raise HostError(
            f"nothing can be written to {folder}: {error.strerror}", hint="name another folder with --output"
        ) from error
    try:
        yield
    finally:
        lock.release()
