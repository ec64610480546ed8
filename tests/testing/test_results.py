"""A report says what passed, and survives being written."""

import json
import math

import pytest
from tests.testing.factory import full_report, number, report, result

from lode.errors import LodeError
from lode.testing.results import Outcome, dump, load, summary


def test_report_is_read_back_as_it_was_written() -> None:
    written = full_report()
    text = dump(written)
    assert dump(load(text, "tests.json")) == text


def test_numbers_that_are_not_finite_survive() -> None:
    read = load(dump(report(result("a", "b", numbers=(number("x", math.nan, 1.0), number("y", -math.inf, 1.0))))), "f")
    assert math.isnan(read.results[0].numbers[0].value or 0.0)
    assert read.results[0].numbers[1].value == -math.inf


def test_report_is_strict_json() -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    json.loads(dump(report(result("a", "b", numbers=(number("x", math.nan, 1.0),)))), parse_constant=refuse)


def test_summary_counts_the_outcomes() -> None:
    assert summary(full_report()) == "2 passed, 2 failed, 1 skipped in 12.5 s"
    assert summary(report(duration_s=0.0)) == "no tests in 0.0 s"


def test_report_with_a_failure_did_not_pass() -> None:
    assert not full_report().passed
    assert report(result("a", "b", Outcome.SKIPPED)).passed


def test_what_is_not_a_report_is_refused_with_its_name() -> None:
    with pytest.raises(LodeError) as refused:
        load(b'{"schema": 1}', "x/tests.json")
    assert str(refused.value) == "x/tests.json: not a test report: KeyError: 'stack'\n  hint: run `lode test` again"
    with pytest.raises(LodeError) as refused:
        load(b'{"schema": 7}', "x/tests.json")
    assert str(refused.value) == (
        "x/tests.json: the test report is of schema 7, this version reads 1\n  hint: run `lode test` again"
    )
