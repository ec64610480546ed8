"""What a change did to a release, for the request that proposes it: Markdown from the release before and after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from lode.describing.records import NodeRecord
from lode.describing.report import TargetRelease
from lode.locking.compare import compare
from lode.locking.graph import Lock
from lode.progress import duration, size
from lode.testing.page import number
from lode.testing.results import Number, Outcome, TestReport, TestResult

_SHOWN = 30  # rows of a table; what is more is counted
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#@!~&])")
_SLOWER = 1.25  # a node whose build takes so much longer, or less of it, is named
_NOTICED_S = 5.0

Release = tuple[Lock, Sequence[TargetRelease]]


def markdown(before: Release | None, after: Release) -> str:
    """Return the report; without `before`, of the release alone."""
    lock, targets = after
    old_targets = {one.target: one for one in before[1]} if before else {}
    lines = [f"### {_text(f'{lock.stack}@{lock.release}')}", ""]
    lines += _nodes(before[0] if before else None, lock)
    for one in targets:
        lines += ["", f"#### {_text(one.target)}", "", *_target(old_targets.get(one.target), one)]
    missing = sorted(set(old_targets) - {one.target for one in targets})
    lines += [f"\n**{_text(name)} is gone.**" for name in missing]
    return "\n".join(lines) + "\n"


def _nodes(before: Lock | None, after: Lock) -> Iterator[str]:
    if before is None:
        yield f"New: {len(after.nodes)} nodes."
        return
    told = compare(before, after)
    if not told:
        yield "The lock is the same."
        return
    rebuilt = sum(len(change.rebuilt) for change in told.changes)
    yield f"{len(told.changes)} nodes changed, {rebuilt} built anew."
    yield ""
    yield from _at_most([f"- {_text(line)}" for line in told.lines()])


def _target(before: TargetRelease | None, after: TargetRelease) -> Iterator[str]:
    yield "| | before | after |"
    yield "|---|---|---|"
    for name, old, new in _figures(before, after):
        yield f"| {name} | {old} | {new} |"
    yield from _failures(before.tests if before else None, after.tests)
    yield from _numbers(before.tests if before else None, after.tests)
    yield from _builds(before.records if before else (), after.records)


def _figures(before: TargetRelease | None, after: TargetRelease) -> Iterator[tuple[str, str, str]]:
    def both(name: str, told: Mapping[bool, str | None]) -> tuple[str, str, str]:
        return name, told[False] or "–", told[True] or "–"

    sides = {False: before, True: after}
    yield both("tests", {side: _counts(one.tests) if one else None for side, one in sides.items()})
    if after.size_bytes is not None:
        yield both("installed", {side: size(one.size_bytes) if one and one.size_bytes is not None else None for side, one in sides.items()})  # fmt: skip  # noqa: E501
    yield both(
        "packages", {side: size(_sum(one.records)) if one and one.records else None for side, one in sides.items()}
    )
    yield both("CPU time of its builds", {side: _cpu(one.records) if one else None for side, one in sides.items()})


def _counts(report: TestReport | None) -> str | None:
    if report is None:
        return None
    counts = {outcome: len(report.of(outcome)) for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED)}
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) or "none"


def _sum(records: Sequence[NodeRecord]) -> int:
    return sum(one.record.size_bytes for one in records)


def _cpu(records: Sequence[NodeRecord]) -> str | None:
    return duration(sum(one.record.cpu_s for one in records)) if records else None


def _key(result: TestResult) -> tuple[str, str, str]:
    return result.package, result.name, result.where


def _failures(before: TestReport | None, after: TestReport | None) -> Iterator[str]:
    """Yield what fails now: new failures first, then those that were there; and what works again."""
    failed = after.of(Outcome.FAILED) if after else ()
    were = {_key(one) for one in before.of(Outcome.FAILED)} if before else set()
    new = [one for one in failed if _key(one) not in were]
    old = [one for one in failed if _key(one) in were]
    now = {_key(one): one.outcome for one in after.results} if after else {}
    mended = [key for key in sorted(were) if now.get(key) is Outcome.PASSED]
    if new:
        yield ""
        yield f"**New failures: {len(new)}**"
        yield from _at_most([f"- {_test(_key(one))}: {_text(one.message)}" for one in new])
    if old:
        yield ""
        yield f"Failed before too: {', '.join(_test(_key(one)) for one in old)}."
    if mended:
        yield ""
        yield f"Passes again: {', '.join(_test(key) for key in mended)}."


def _test(key: tuple[str, str, str]) -> str:
    package, name, where = key
    return _text(f"{package or 'the stack'}: {name}" + (f" ({where})" if where else ""))


def _numbers(before: TestReport | None, after: TestReport | None) -> Iterator[str]:
    """Yield a table of the numbers of physics whose value is another."""
    if before is None or after is None:
        return
    old = {(_key(result), one.name): one for result in before.results for one in result.numbers}
    rows = []
    for result in after.results:
        for one in result.numbers:
            was = old.get((_key(result), one.name))
            if was is not None and was.value != one.value:
                rows.append(_number(_test(_key(result)), was, one))
    if rows:
        yield ""
        yield f"Numbers that moved: {len(rows)}"
        yield ""
        yield "| test | number | before | after | in tolerances |"
        yield "|---|---|---|---|---|"
        yield from _at_most(rows)


def _number(test: str, was: Number, now: Number) -> str:
    moved = "–"
    if was.value is not None and now.value is not None and now.allowed:
        moved = f"{(now.value - was.value) / now.allowed:+.2g}"
    unit = f" {_text(now.unit)}" if now.unit else ""
    state = "" if now.agrees else " **outside**"
    return f"| {test} | {_text(now.name)} | {number(was.value)}{unit} | {number(now.value)}{unit} | {moved}{state} |"


def _builds(before: Sequence[NodeRecord], after: Sequence[NodeRecord]) -> Iterator[str]:
    """Yield a table of the nodes that were built anew and take another time or space."""
    old = {one.package: one for one in before}
    rows = []
    for one in after:
        was = old.get(one.package)
        if was is None or was.node_hash == one.node_hash:
            continue
        slower = abs(one.record.cpu_s - was.record.cpu_s) > _NOTICED_S and not (
            1 / _SLOWER < one.record.cpu_s / max(was.record.cpu_s, 0.001) < _SLOWER
        )
        if slower or was.record.size_bytes != one.record.size_bytes:
            rows.append(
                f"| {_text(one.package)} | {duration(was.record.cpu_s)} | {duration(one.record.cpu_s)} "
                f"| {size(was.record.size_bytes)} | {size(one.record.size_bytes)} |"
            )
    if rows:
        yield ""
        yield "| built anew | CPU before | after | size before | after |"
        yield "|---|---|---|---|---|"
        yield from _at_most(rows)


def _at_most(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"\n… and {len(lines) - _SHOWN} more"


def _text(text: str) -> str:
    """Return `text` on one line, read as itself: nobody is mentioned, nothing is markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("\\@", "@\u200b")
