"""The status of many releases as one page: each stack on each target over time, with graphs. No script, no server.

What it tells is read from release folders. Two builds of one node hash, begun at different times, say whether a node is
reproducible: the trees inside of their packages are the same or not. What came from a store was not built again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lode.describing.report import TargetRelease
from lode.digest import Digest
from lode.locking.graph import Lock
from lode.testing import page
from lode.testing.results import Outcome

_WIDTH, _HEIGHT = 240, 44  # of a graph, pixels
_SHOWN = 60  # releases in a graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One release on one target."""

    stack: str
    release: str
    target: str
    date: str  # ISO 8601: when its tests began, else the release's own date
    lock: Digest
    passed: int | None  # tests; None: none were run
    failed: int
    skipped: int
    size_bytes: int | None
    cpu_s: float | None
    nodes: tuple[tuple[Digest, str, Digest], ...]  # node hash, when its build began, the digest of what was built
    where: str  # link to its page, empty without


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One stack on one target: its releases, the newest first, and how they became what they are."""

    stack: str
    target: str
    entries: tuple[Entry, ...]
    compared: int  # nodes that were built twice or more
    same: int  # of these, with the same result each time
    sizes: str  # points of an SVG line; empty with less than two
    times: str

    @property
    def newest(self) -> Entry:
        """Return the newest release."""
        return self.entries[0]

    @property
    def state(self) -> str:
        """Return `good`, `bad` or `wait`: what the newest release's tests say."""
        if self.newest.passed is None:
            return "wait"
        return "bad" if self.newest.failed else "good"


def entries(lock: Lock, targets: Sequence[TargetRelease], *, where: str = "") -> tuple[Entry, ...]:
    """Return what is told of a release, one entry a target."""
    return tuple(_entry(lock, one, where) for one in targets)


def _entry(lock: Lock, one: TargetRelease, where: str) -> Entry:
    tests, records = one.tests, one.records
    return Entry(
        stack=lock.stack,
        release=lock.release,
        target=one.target,
        date=(tests.started if tests else "") or lock.date,
        lock=lock.digest,
        passed=len(tests.of(Outcome.PASSED)) if tests else None,
        failed=len(tests.of(Outcome.FAILED)) if tests else 0,
        skipped=len(tests.of(Outcome.SKIPPED)) if tests else 0,
        size_bytes=sum(each.record.size_bytes for each in records) if records else None,
        cpu_s=sum(each.record.cpu_s for each in records) if records else None,
        nodes=tuple((each.node_hash, each.record.started, each.inventory) for each in records),
        where=where,
    )


def lines(found: Iterable[Entry]) -> tuple[Line, ...]:
    """Return the entries by stack and target, sorted."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in found:
        groups.setdefault((entry.stack, entry.target), []).append(entry)
    return tuple(_line(*key, sorted(group, key=lambda one: one.date)) for key, group in sorted(groups.items()))


def _line(stack: str, target: str, oldest_first: Sequence[Entry]) -> Line:
    built: dict[Digest, dict[str, Digest]] = {}
    for entry in oldest_first:
        for node, began, inventory in entry.nodes:
            built.setdefault(node, {})[began] = inventory
    twice = [list(results.values()) for results in built.values() if len(results) > 1]
    return Line(
        stack=stack,
        target=target,
        entries=tuple(reversed(oldest_first)),
        compared=len(twice),
        same=sum(len(set(results)) == 1 for results in twice),
        sizes=points([entry.size_bytes for entry in oldest_first]),
        times=points([entry.cpu_s for entry in oldest_first]),
    )


def points(values: Sequence[float | None]) -> str:
    """Return the points of an SVG polyline through `values`, from zero up; empty with less than two values."""
    known = [value for value in values[-_SHOWN:] if value is not None]
    if len(known) < 2:
        return ""
    top = max(known) or 1
    step = _WIDTH / (len(known) - 1)
    return " ".join(f"{number * step:.1f},{_HEIGHT - value / top * _HEIGHT:.1f}" for number, value in enumerate(known))


def html(found: Iterable[Entry], *, version: str, title: str = "Status") -> bytes:
    """Return the page, which needs nothing from elsewhere."""
    return page.render(
        "describing",
        "status.html.j2",
        title=title,
        lines=lines(found),
        width=_WIDTH,
        height=_HEIGHT,
        version=version,
    )
