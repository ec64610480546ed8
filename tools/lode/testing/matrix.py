"""The matrix of test reports: stack by target by test, with the physics numbers of all targets side by side.

A number differs when the targets' values lie further apart than what is allowed from its reference: then one tree gives
two answers, whichever of them the reference agrees with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lode.testing import page
from lode.testing.results import Number, Outcome, TestReport, TestResult

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRow:
    """One number of a test, on all targets."""

    package: str  # "" for the stack
    test: str
    name: str
    unit: str
    reference: float | None
    allowed: float  # the largest difference from the reference that is allowed
    values: Mapping[str, Number]  # by target, those that wrote or expected it
    spread: float | None  # the largest difference between two targets; None with fewer than two values

    @property
    def differs(self) -> bool:
        """Return whether the targets lie further apart than is allowed."""
        return self.spread is not None and not self.spread <= self.allowed

    @property
    def agrees(self) -> bool:
        """Return whether every target agrees with the reference and with all others."""
        return not self.differs and all(number.agrees for number in self.values.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRow:
    """One test on all targets."""

    __test__ = False  # not a pytest class

    package: str  # "" for the stack
    version: str
    name: str
    kind: str
    results: Mapping[str, TestResult]  # by target; a target without it does not have the test


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All reports of one release."""

    stack: str
    release: str
    reports: Mapping[str, TestReport]  # by target, sorted
    tests: tuple[TestRow, ...]  # packages by name, the stack's own last
    numbers: tuple[NumberRow, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the names of the targets, sorted."""
        return tuple(self.reports)

    @property
    def agrees(self) -> bool:
        """Return whether no test failed anywhere and no number differs."""
        return all(report.passed for report in self.reports.values()) and all(row.agrees for row in self.numbers)

    @property
    def one_lock(self) -> bool:
        """Return whether all targets were made of the same lock."""
        return len({report.lock_digest for report in self.reports.values()}) == 1


def matrix(reports: Iterable[TestReport]) -> Matrix:
    """Return the matrix of the reports of one release, one a target; ValueError unless they are that."""
    ordered = sorted(reports, key=lambda report: report.target)
    by_target = {report.target: report for report in ordered}
    names = {(report.stack, report.release) for report in ordered}
    if len(names) != 1:
        raise ValueError(f"reports of {len(names)} releases")
    ((stack, release),) = names
    rows: dict[tuple[str, str], dict[str, TestResult]] = {}
    for target, report in by_target.items():
        for result in report.results:
            rows.setdefault((result.package, result.name), {})[target] = result
    order = sorted(rows, key=lambda key: (not key[0], key[0]))  # stable: tests stay as they were written
    tests = tuple(_test_row(key, rows[key]) for key in order)
    return Matrix(
        stack=stack,
        release=release,
        reports=by_target,
        tests=tests,
        numbers=tuple(number for row in tests for number in _numbers(row)),
    )


def document(matrix: Matrix) -> dict[str, Any]:
    """Return the matrix as a JSON document; numbers that are not finite are written as text."""
    return {
        "schema": SCHEMA,
        "stack": matrix.stack,
        "release": matrix.release,
        "agrees": matrix.agrees,
        "targets": {
            target: {
                "lock": report.lock_digest,
                "inventory": report.inventory,
                "seal": report.seal,
                "passed": len(report.of(Outcome.PASSED)),
                "failed": len(report.of(Outcome.FAILED)),
                "skipped": len(report.of(Outcome.SKIPPED)),
            }
            for target, report in matrix.reports.items()
        },
        "tests": [
            {
                "package": row.package or "stack",
                "version": row.version,
                "name": row.name,
                "outcomes": {target: result.outcome.value for target, result in row.results.items()},
            }
            for row in matrix.tests
        ],
        "numbers": [
            {
                "package": row.package or "stack",
                "test": row.test,
                "name": row.name,
                "unit": row.unit,
                "reference": _plain(row.reference),
                "allowed": _plain(row.allowed),
                "values": {target: _plain(number.value) for target, number in row.values.items()},
                "spread": _plain(row.spread),
                "agrees": row.agrees,
            }
            for row in matrix.numbers
        ],
    }


def dump(matrices: Sequence[Matrix]) -> bytes:
    """Return the matrices as JSON text, UTF-8, one trailing newline."""
    text = json.dumps([document(matrix) for matrix in matrices], indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8", "backslashreplace")


def html(matrices: Sequence[Matrix]) -> bytes:
    """Return the matrices as one self-contained page: what differs first, then numbers, then all tests."""
    return page.render("testing", "matrix.html.j2", matrices=matrices, outcomes=Outcome)


def _test_row(key: tuple[str, str], results: Mapping[str, TestResult]) -> TestRow:
    first = next(iter(results.values()))
    return TestRow(package=key[0], version=first.version, name=key[1], kind=first.kind, results=results)


def _numbers(row: TestRow) -> Iterable[NumberRow]:
    found: dict[str, dict[str, Number]] = {}
    for target, result in row.results.items():
        for number in result.numbers:
            found.setdefault(number.name, {})[target] = number
    for name in sorted(found):
        numbers = found[name]
        first = next((number for number in numbers.values() if number.reference is not None), None)
        yield NumberRow(
            package=row.package,
            test=row.name,
            name=name,
            unit=first.unit if first else "",
            reference=first.reference if first else None,
            allowed=first.allowed if first else 0.0,
            values=numbers,
            spread=_spread([number.value for number in numbers.values()]),
        )


def _spread(values: Sequence[float | None]) -> float | None:
    """Return the largest difference of two values; infinite when one is missing or not finite and another is there."""
    there = [value for value in values if value is not None and math.isfinite(value)]
    if len(values) < 2:
        return None
    return max(there) - min(there) if len(there) == len(values) else math.inf if there else None


def _plain(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else repr(value)
