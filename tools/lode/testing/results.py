"""What the tests of a prefix gave: one report of results, each with its outcome, output and numbers.

The JSON form is complete: a report that was written can be read again, so that a release page can be made later.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lode.digest import Digest
from lode.errors import LodeError, Place

SCHEMA = 1


class Outcome(StrEnum):
    """How a test ended."""

    FAILED = "failed"
    SKIPPED = "skipped"
    PASSED = "passed"


class Cause(StrEnum):
    """Why a test failed or was skipped; the JUnit form calls it the type of the failure."""

    NONE = ""
    COMPILE = "compile"  # the compiler refused the test's source
    EXIT = "exit"  # the test ended with a status other than 0, or by a signal
    TIMEOUT = "timeout"
    NUMBERS = "numbers"  # a number is missing, unknown, not finite or out of tolerance
    FILES = "files"  # a file of the test is missing in the prefix, or not the one that was locked
    NEEDS = "needs"  # something that the test needs is not there: a package, a compiler


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number that a test wrote, compared with its reference; `message` is empty when they agree."""

    name: str
    value: float | None  # None: the test did not write it
    reference: float | None  # None: the reference file does not have it
    unit: str
    source: str  # where the reference is from
    tolerance: float  # relative to the reference
    absolute: float  # an absolute difference that is always allowed
    message: str

    @property
    def agrees(self) -> bool:
        """Return whether the number lies within its tolerance."""
        return not self.message

    @property
    def allowed(self) -> float:
        """Return the largest difference from the reference that is allowed."""
        return 0.0 if self.reference is None else max(self.tolerance * abs(self.reference), self.absolute)

    @property
    def deviation(self) -> float | None:
        """Return the difference from the reference in units of the allowed one; None if there is none to tell."""
        if self.value is None or self.reference is None or not math.isfinite(self.value):
            return None
        difference = self.value - self.reference
        if difference == 0:
            return 0.0
        return difference / self.allowed if self.allowed else math.copysign(math.inf, difference)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """One test's outcome. `package` is empty for a test of the stack itself."""

    __test__ = False  # not a pytest class

    package: str
    version: str
    name: str
    kind: str  # "run", "compile" or "python"
    outcome: Outcome
    cause: Cause = Cause.NONE
    message: str = ""  # why it failed or was skipped, one sentence
    duration_s: float = 0.0
    output: str = ""  # both streams of the test, shortened in the middle
    numbers: tuple[Number, ...] = ()  # sorted by name
    where: str = ""  # empty: in the prefix of the report; else what it ran in, such as "build tools"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """The results of all tests of a prefix, the stack's own last, packages by name and tests as they were written."""

    __test__ = False  # not a pytest class

    stack: str
    release: str
    target: str
    group: str | None
    final_path: str
    lock_digest: Digest
    inventory: Digest
    seal: str  # what held the tests: "bubblewrap", or "none" and why
    started: str  # ISO 8601, UTC; empty when nobody told
    duration_s: float
    results: tuple[TestResult, ...]

    def of(self, outcome: Outcome) -> tuple[TestResult, ...]:
        """Return the results that ended so, in order."""
        return tuple(result for result in self.results if result.outcome == outcome)

    @property
    def passed(self) -> bool:
        """Return whether no test failed."""
        return not self.of(Outcome.FAILED)

    def packages(self) -> tuple[tuple[str, tuple[TestResult, ...]], ...]:
        """Return the results by package, in order; the stack's own are under the empty name."""
        groups: dict[str, list[TestResult]] = {}
        for result in self.results:
            groups.setdefault(result.package, []).append(result)
        return tuple((package, tuple(results)) for package, results in groups.items())


def summary(report: TestReport) -> str:
    """Return the outcome in one line: `17 passed, 2 failed, 1 skipped in 12.4 s`."""
    counts = {outcome: len(report.of(outcome)) for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED)}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) or "no tests"
    return f"{told} in {report.duration_s:.1f} s"


def document(report: TestReport) -> dict[str, Any]:
    """Return the report as a JSON document; numbers that are not finite are written as text."""
    return {
        "schema": SCHEMA,
        "stack": report.stack,
        "release": report.release,
        "target": report.target,
        "group": report.group,
        "final_path": report.final_path,
        "lock": report.lock_digest,
        "inventory": report.inventory,
        "seal": report.seal,
        "started": report.started,
        "duration_s": round(report.duration_s, 3),
        "passed": report.passed,
        "results": [_result_document(result) for result in report.results],
    }


def dump(report: TestReport) -> bytes:
    """Return the report as JSON text, UTF-8, indented, one trailing newline."""
    return (json.dumps(document(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def load(content: bytes, file: str) -> TestReport:
    """Return the report that `dump` wrote; LodeError naming `file` if it is not one."""
    try:
        report = json.loads(content)
        if report["schema"] != SCHEMA:
            raise LodeError(
                f"the test report is of schema {report['schema']}, this version reads {SCHEMA}",
                place=Place(file=file),
                hint="run `lode test` again",
            )
        return TestReport(
            stack=report["stack"],
            release=report["release"],
            target=report["target"],
            group=report["group"],
            final_path=report["final_path"],
            lock_digest=Digest(report["lock"]),
            inventory=Digest(report["inventory"]),
            seal=report["seal"],
            started=report["started"],
            duration_s=report["duration_s"],
            results=tuple(_result(entry) for entry in report["results"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LodeError(
            f"not a test report: {type(error).__name__}: {error}",
            place=Place(file=file),
            hint="run `lode test` again",
        ) from error


def _result_document(result: TestResult) -> dict[str, Any]:
    return {
        "package": result.package,
        "version": result.version,
        "name": result.name,
        "kind": result.kind,
        "where": result.where,
        "outcome": result.outcome,
        "cause": result.cause,
        "message": result.message,
        "duration_s": round(result.duration_s, 3),
        "output": result.output,
        "numbers": [
            {
                "name": number.name,
                "value": _number_text(number.value),
                "reference": _number_text(number.reference),
                "unit": number.unit,
                "source": number.source,
                "tolerance": number.tolerance,
                "absolute": number.absolute,
                "message": number.message,
            }
            for number in result.numbers
        ],
    }


def _result(entry: Mapping[str, Any]) -> TestResult:
    return TestResult(
        package=entry["package"],
        version=entry["version"],
        name=entry["name"],
        kind=entry["kind"],
        outcome=Outcome(entry["outcome"]),
        cause=Cause(entry["cause"]),
        message=entry["message"],
        where=entry.get("where", ""),  # reports of before do not have it
        duration_s=entry["duration_s"],
        output=entry["output"],
        numbers=tuple(
            Number(
                name=number["name"],
                value=_number(number["value"]),
                reference=_number(number["reference"]),
                unit=number["unit"],
                source=number["source"],
                tolerance=number["tolerance"],
                absolute=number["absolute"],
                message=number["message"],
            )
            for number in entry["numbers"]
        ),
    )


def _number_text(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else repr(value)


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)
