"""The matrix of targets says where one tree gives two answers, and is whole, escaped and the same each time."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.golden.check import same_as_golden
from tests.testing.factory import number, report, result, sha
from tests.testing.test_report import outline

from lode.testing import matrix as matrices
from lode.testing.matrix import Matrix, matrix
from lode.testing.results import Cause, Number, Outcome, TestReport

THREE = ("debian11-x86_64", "debian12-x86_64", "debian13-x86_64")


def on(target: str, *numbers: Number) -> TestReport:
    return report(result("nest", "yields", numbers=numbers), target=target, seal="docker")


def of(*values: float | None, reference: float | None = 42.0) -> Matrix:
    return matrix(on(THREE[place], number("charge", value, reference)) for place, value in enumerate(values))


def full() -> Matrix:
    """Return a matrix in which everything that can happen happens, hostile texts among it."""
    shared = (number("charge", 42.1, 42.0), number("light", 5.2, 5.2), number("zero", 0.0, 0.0))
    off = number("light", 5.35, 5.2, message="light is 5.35 keV, the reference is 5.2 keV")
    return matrix(
        [
            report(
                result("nest", "yields", kind="compile", numbers=shared),
                result("zlib", "<script>alert('name')</script>"),
                result("", "chain", numbers=(number("events", 20000.0, 20000.0, unit=""),)),
                target=THREE[1],
                seal="docker",
            ),
            report(
                result(
                    "nest",
                    "yields",
                    Outcome.FAILED,
                    kind="compile",
                    cause=Cause.NUMBERS,
                    message='1 of 3 numbers disagree: "light" & more',
                    numbers=(shared[0], off, shared[2]),
                ),
                result("zlib", "only-here"),
                result("", "chain", Outcome.SKIPPED, message="needs a compiler"),
                target=THREE[2],
                seal="rootfs: no container engine runs here",
                inventory=sha("another tree"),
            ),
        ]
    )


def test_page_is_as_it_was() -> None:
    same_as_golden("testing/matrix.html", matrices.html([full()]))


def test_json_is_as_it_was() -> None:
    same_as_golden("testing/matrix.json", matrices.dump([full(), of(42.0, 42.0)]))


def test_page_is_well_nested_and_needs_nothing_from_elsewhere() -> None:
    page = matrices.html([full(), of(42.0, math.nan)])
    for tag, attributes in outline(page).seen:
        assert tag not in {"script", "link", "img", "iframe", "object", "base"}
        assert not {"src", "href", "srcset"} & set(attributes)
    assert b"<script" not in page
    assert b"&lt;script&gt;" in page
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", page)


def test_rows_are_packages_by_name_and_the_stack_last() -> None:
    assert [(row.package, row.name) for row in full().tests] == [
        ("nest", "yields"),
        ("zlib", "<script>alert('name')</script>"),
        ("zlib", "only-here"),
        ("", "chain"),
    ]


def test_target_without_a_test_has_no_cell() -> None:
    only = next(row for row in full().tests if row.name == "only-here")
    assert list(only.results) == [THREE[2]]


@pytest.mark.parametrize(
    ("values", "spread", "differs"),
    [
        ((42.0, 42.0, 42.0), 0.0, False),
        ((42.0, 42.4, 41.99), pytest.approx(0.41), False),  # 1 % of 42 is allowed
        ((42.3, 41.8), pytest.approx(0.5), True),  # each agrees with its reference, but not with the other
        ((42.0, None), math.inf, True),
        ((42.0, math.nan), math.inf, True),
        ((math.nan, math.nan), None, False),
        ((42.0,), None, False),
    ],
)
def test_spread_is_the_largest_difference_of_two_targets(
    values: tuple[float | None, ...], spread: float | None, differs: bool
) -> None:
    (row,) = of(*values).numbers
    assert (row.spread, row.differs) == (spread, differs)


def test_number_without_reference_must_be_the_same_everywhere() -> None:
    assert not of(1.0, 1.0, reference=None).numbers[0].differs
    assert of(1.0, 1.0 + 1e-12, reference=None).numbers[0].differs


def test_number_that_misses_its_reference_everywhere_is_no_agreement() -> None:
    wrong = number("charge", 50.0, 42.0, message="charge is 50")
    found = matrix([on(THREE[0], wrong), on(THREE[1], wrong)])
    assert (found.numbers[0].differs, found.numbers[0].agrees, found.agrees) == (False, False, False)


def test_failed_test_is_no_agreement() -> None:
    good, bad = report(result("a", "x"), target="a-x86_64"), report(result("a", "x", Outcome.FAILED), target="b-x86_64")
    assert matrix([good]).agrees
    assert not matrix([good, bad]).agrees


def test_targets_of_different_locks_are_told() -> None:
    other = report(target="b-x86_64", lock_digest=sha("other"))
    assert matrix([report()]).one_lock
    assert not matrix([report(), other]).one_lock
    assert b"made of different locks" in matrices.html([matrix([report(), other])])


def test_reports_of_two_releases_are_no_matrix() -> None:
    with pytest.raises(ValueError, match="reports of 2 releases"):
        matrix([report(), report(release="2027.1")])
    with pytest.raises(ValueError, match="reports of 0 releases"):
        matrix([])


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=3))
def test_any_numbers_make_a_page_and_a_document(values: list[float]) -> None:
    found = of(*values)
    assert outline(matrices.html([found])).open == []
    assert json.loads(matrices.dump([found]))[0]["numbers"][0]["agrees"] == found.numbers[0].agrees


def test_order_of_the_reports_does_not_count() -> None:
    reports = [on(target, number("charge", 42.0, 42.0)) for target in THREE]
    assert matrices.dump([matrix(reports)]) == matrices.dump([matrix(reversed(reports))])
