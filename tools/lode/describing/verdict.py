"""What the tests of a release's tree gave, as an in-toto test result (predicates/test-result.md of in-toto)."""

from __future__ import annotations

from typing import Any

from lode import digest
from lode.testing.results import Outcome, TestReport, TestResult

PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def test_result(report: TestReport, content: bytes) -> dict[str, Any]:
    """Return the predicate: which tests passed, were skipped (warned) or failed, and the numbers that were compared.

    `content` is the report's file, whose digest stands for all the rest.
    """
    by = {outcome: [_name(each) for each in report.results if each.outcome is outcome] for outcome in Outcome}
    return {
        "result": "FAILED" if by[Outcome.FAILED] else "PASSED",
        "configuration": [
            {"name": "tests.json", "digest": {"sha256": digest.of_bytes(content)}},
            {"name": "lock", "digest": {"sha256": report.lock_digest}},
            {"name": "inventory", "digest": {"sha256": report.inventory}},
        ],
        "passedTests": by[Outcome.PASSED],
        "warnedTests": by[Outcome.SKIPPED],
        "failedTests": by[Outcome.FAILED],
        "numbers": [
            {
                "test": _name(each),
                "name": number.name,
                "value": repr(number.value),
                "reference": repr(number.reference),
                "unit": number.unit,
                "agrees": number.agrees,
            }
            for each in report.results
            for number in each.numbers
        ],
    }


def _name(result: TestResult) -> str:
    return f"{result.package or 'stack'}: {result.name}"
