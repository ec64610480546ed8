"""Numbers agree with their references within the tolerance, and say exactly why not."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lode.errors import DefinitionError
from lode.testing.numbers import NumbersError, Reference, compare, read_numbers, read_references, write_references


def messages(written: dict[str, float], references: dict[str, Reference], tolerance: float = 0.01) -> list[str]:
    return [number.message for number in compare(written, references, tolerance)]


LIGHT = Reference(value=5.2, unit="photons/keV", source="NEST 2.4, table 1")


def test_number_within_its_tolerance_agrees() -> None:
    assert messages({"light": 5.25}, {"light": LIGHT}) == [""]


def test_number_out_of_tolerance_names_value_reference_difference_and_tolerance() -> None:
    assert messages({"light": 5.3}, {"light": LIGHT}) == [
        "light is 5.3 photons/keV, the reference is 5.2 photons/keV: they differ by 0.0192 relative, 0.01 relative is "
        "allowed"
    ]


def test_missing_number_is_named() -> None:
    assert messages({}, {"light": LIGHT}) == ["light was not written; the reference is 5.2 photons/keV"]


def test_unknown_number_is_named() -> None:
    assert messages({"heat": 1.5}, {}) == ["heat is 1.5, but the reference file does not have it"]


@pytest.mark.parametrize(("value", "text"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_number_that_is_not_finite_is_refused(value: float, text: str) -> None:
    assert messages({"light": value}, {"light": LIGHT}, 1e300) == [
        f"light is {text}, not a finite number; the reference is 5.2 photons/keV"
    ]


def test_zero_reference_is_met_within_the_absolute_difference_only() -> None:
    zero = Reference(value=0.0, unit="", source="symmetry", absolute=1e-3)
    assert messages({"bias": 5e-4}, {"bias": zero}) == [""]
    assert messages({"bias": -2e-3}, {"bias": zero}) == [
        "bias is -0.002, the reference is 0: they differ by 0.002 absolute, 0.01 relative or 0.001 absolute is allowed"
    ]


def test_reference_with_its_own_tolerance_is_not_held_to_that_of_the_test() -> None:
    loose = Reference(value=100.0, unit="", source="", tolerance=0.5)
    assert messages({"counts": 140.0}, {"counts": loose}, 0.0) == [""]


def test_tolerance_zero_means_equal() -> None:
    exact = Reference(value=1000.0, unit="", source="")
    assert messages({"events": 1000.0}, {"events": exact}, 0.0) == [""]
    assert messages({"events": 999.0}, {"events": exact}, 0.0) == [
        "events is 999, the reference is 1000: they differ by 0.001 relative, 0 relative is allowed"
    ]


def test_deviation_is_told_in_units_of_the_tolerance() -> None:
    (number,) = compare({"light": 5.226}, {"light": LIGHT}, 0.01)
    assert number.deviation == pytest.approx(0.5)
    (number,) = compare({"light": 5.1}, {"light": LIGHT}, 0.0)
    assert number.deviation == -math.inf


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(min_value=0, max_value=10))
def test_reference_always_agrees_with_itself(value: float, tolerance: float) -> None:
    assert messages({"x": value}, {"x": Reference(value=value, unit="", source="")}, tolerance) == [""]


@given(
    st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
    st.floats(min_value=0, max_value=1),
)
def test_new_references_are_met_by_the_numbers_they_were_made_of(written: dict[str, float], tolerance: float) -> None:
    content = write_references(compare(written, {}, tolerance), tolerance)
    assert [m for m in messages(written, read_references(content, "new.json"), tolerance) if m] == []


def test_new_references_keep_units_sources_and_tolerances() -> None:
    references = {
        "a": Reference(value=1.0, unit="keV", source="paper", tolerance=0.2, absolute=0.5),
        "b": Reference(value=2.0, unit="cm", source="book"),
        "gone": Reference(value=3.0, unit="", source=""),
    }
    content = write_references(compare({"a": 9.0, "b": 2.5, "bad": math.nan, "new": 4.0}, references, 0.1), 0.1)
    assert json.loads(content) == {
        "a": {"value": 9.0, "unit": "keV", "source": "paper", "tolerance": 0.2, "absolute": 0.5},
        "b": {"value": 2.5, "unit": "cm", "source": "book"},
        "new": {"value": 4.0, "unit": "", "source": ""},
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"[1]", "is not a JSON object"),
        (b'{"a": 1, "a": 2}', "has 'a' twice"),
        (b'{"a": "1"}', "has \"1\" under 'a', not a number"),
        (b'{"a": true}', "has true under 'a', not a number"),
        (b'{"a": {"value": 1}}', "has {\"value\": 1} under 'a', not a number"),
        (b"\xff\xfe\xff", "is not JSON: 'utf-16-le' codec can't decode byte 0xff in position 2: truncated data"),
    ],
)
def test_what_is_not_an_object_of_numbers_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(NumbersError) as refused:
        read_numbers(content)
    assert str(refused.value) == message


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(NumbersError, match="is not JSON: maximum recursion depth exceeded"):
        read_numbers(b'{"a":' + b"[" * 200_000)


def test_nan_and_integers_beyond_floats_are_read_for_compare_to_refuse() -> None:
    found = read_numbers(b'{"a": NaN, "b": -Infinity, "c": 1' + b"0" * 400 + b"}")
    assert math.isnan(found["a"])
    assert (found["b"], found["c"]) == (-math.inf, math.inf)


def test_reference_file_tells_all_its_faults_at_once() -> None:
    content = json.dumps(
        {
            "a": {"value": 1, "unit": "", "source": "", "tolerence": 1},
            "b": {"value": "1", "unit": 3},
            "c": 5,
            "d": {"value": 1, "unit": "", "source": "", "tolerance": -1, "absolute": True},
        }
    ).encode()
    with pytest.raises(DefinitionError) as refused:
        read_references(content, "references/yields.json")
    assert [fault.message for fault in refused.value.faults] == [
        "the reference 'a' has the unknown key 'tolerence'",
        "the reference 'b' lacks 'source'",
        "the reference 'b' has a 'value' that is not a finite number",
        "the reference 'b' has a 'unit' that is not a text",
        "the reference 'c' is not an object",
        "the reference 'd' has a 'tolerance' that is not a number of at least 0",
        "the reference 'd' has a 'absolute' that is not a number of at least 0",
    ]
    assert str(refused.value.faults[0].place) == "references/yields.json"


def test_reference_file_that_is_not_json_is_refused_with_its_name() -> None:
    with pytest.raises(DefinitionError) as refused:
        read_references(b"{", "references/yields.json")
    assert str(refused.value) == (
        "references/yields.json: the reference file is not JSON: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)\n"
        '  hint: each entry is {"value": 1.23, "unit": "…", "source": "…"} with optional "tolerance" and "absolute"'
    )
