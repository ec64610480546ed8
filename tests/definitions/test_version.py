"""Versions keep their text, have one total order, and constraints choose among them."""

from __future__ import annotations

import packaging.version
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lode.definitions.version import Constraint, Version

VERSIONS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+\-]{0,12}", fullmatch=True).map(Version)


@pytest.mark.parametrize("text", ["6.32.04", "v4r2", "2024-11-c", "1.1.1w", "2.4.5beta.nestpy2.1.3"])
def test_version_is_kept_as_it_was_written(text: str) -> None:
    assert str(Version(text)) == text


@pytest.mark.parametrize("text", ["", " 1", "1 ", "-1", "1/2", "1\n", "é"])
def test_text_that_cannot_be_a_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        Version(text)


@pytest.mark.parametrize(
    "texts",
    [
        ["1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.1", "1.1"],
        ["1.1.1", "1.1.1a", "1.1.1w", "1.1.2"],
        ["6.32.04", "6.32.4.1", "6.32.06", "6.32.10"],
        ["v4r1", "v4r2", "v4r10"],
        ["2024-02-a", "2024-11-a", "2024-11-c"],
        ["1.9", "1.10", "2"],
    ],
)
def test_versions_sort_as_people_expect(texts: list[str]) -> None:
    assert [str(one) for one in sorted(map(Version, reversed(texts)))] == texts


def test_trailing_zeros_tie_but_the_texts_differ() -> None:
    assert Version("3.16").key == Version("3.16.0").key
    assert Version("3.16") != Version("3.16.0")


NUMBERS = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@given(NUMBERS, NUMBERS)
def test_numbers_sort_as_pep_440_has_them(a: str, b: str) -> None:
    ours, theirs = (Version(a).key, Version(b).key), (packaging.version.Version(a), packaging.version.Version(b))
    assert (ours[0] < ours[1], ours[0] == ours[1]) == (theirs[0] < theirs[1], theirs[0] == theirs[1])


@given(VERSIONS, VERSIONS, VERSIONS)
def test_order_is_total_and_transitive(a: Version, b: Version, c: Version) -> None:
    assert (a < b) + (b < a) + (a == b) == 1
    if a < b and b < c:
        assert a < c


@pytest.mark.parametrize(
    ("constraint", "admitted", "refused"),
    [
        (">=1.2,<2", ["1.2", "1.2.0", "1.99"], ["1.1", "2", "2.0", "3"]),
        ("==1.2", ["1.2", "1.2.0"], ["1.2.1", "1.20"]),
        ("!=1.2", ["1.2.1"], ["1.2", "1.2.0"]),
        ("==1.2.*", ["1.2", "1.2.9", "1.2rc1"], ["1.20", "1.3"]),
        ("!=1.2.*", ["1.3"], ["1.2.9"]),
        ("~=1.4.2", ["1.4.2", "1.4.9"], ["1.4.1", "1.5"]),
        (">1,<=2", ["1.0.1", "2.0"], ["1", "1.0", "2.1"]),
        ("", ["1", "anything"], []),
    ],
)
def test_constraint_admits_versions(constraint: str, admitted: list[str], refused: list[str]) -> None:
    parsed = Constraint.parse(constraint)
    assert [text for text in admitted if not parsed.admits(Version(text))] == []
    assert [text for text in refused if parsed.admits(Version(text))] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.2", "not a version constraint: '1.2'"),
        ("=1.2", "not a version constraint: '=1.2'"),
        (">=1.2,", "not a version constraint: ''"),
        (">=1.*", "'.*' goes with == and != only: '>=1.*'"),
        ("~=1", "~= needs a version of two parts or more: '~=1'"),
    ],
)
def test_faulty_constraint_names_its_clause(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Constraint.parse(text)
    assert str(caught.value) == message


@given(st.lists(st.tuples(st.sampled_from([">=", "<=", "==", "!=", "<", ">"]), VERSIONS), max_size=3))
def test_constraint_is_read_back_from_its_text(clauses: list[tuple[str, Version]]) -> None:
    text = ",".join(f"{operator}{version}" for operator, version in clauses)
    assert str(Constraint.parse(text)) == text
