"""Ranges of Spack admit what the constraint admits."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lode.definitions.version import Constraint, Version
from lode.rendering.spack import versions

NUMBERS = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
TEXTS = st.one_of(
    NUMBERS,
    st.tuples(NUMBERS, st.sampled_from(["rc1", "a", "w", "beta", "-c", "b2", ".p03"])).map("".join),
    st.sampled_from(["v4r2", "2024-11-c", "6.32.04", "main", "2.4.5beta.nestpy2.1.3"]),
)
OPERATORS = st.sampled_from([">=", "<=", ">", "<", "==", "!="])
CLAUSES = st.one_of(
    st.tuples(OPERATORS, TEXTS).map("".join),
    st.tuples(st.sampled_from(["==", "!="]), NUMBERS).map(lambda pair: f"{pair[0]}{pair[1]}.*"),
    NUMBERS.filter(lambda text: "." in text).map("~={}".format),
)
CONSTRAINTS = st.lists(CLAUSES, min_size=1, max_size=3).map(",".join).map(Constraint.parse)


def distinct(texts: list[str]) -> list[Version]:
    """Return the versions, without those that are one for Spack."""
    return [Version(text) for text in {versions.key(text): text for text in texts}.values()]


@given(CONSTRAINTS, st.lists(TEXTS, min_size=1, max_size=12))
def test_ranges_admit_the_known_versions_that_the_constraint_admits(constraint: Constraint, texts: list[str]) -> None:
    known = distinct(texts)
    found = versions.ranges(constraint, known)
    admitted = {one for one in known if constraint.admits(one)}
    if found is None:
        assert admitted == set()
    else:
        assert {one for one in known if versions.admits(found.text, one.text)} == admitted


@given(st.lists(CLAUSES, min_size=1, max_size=3).map(",".join).map(Constraint.parse), NUMBERS)
def test_exact_ranges_admit_the_same_of_versions_nobody_knew(constraint: Constraint, text: str) -> None:
    found = versions.ranges(constraint, ())
    wanted = [clause for clause in constraint.clauses if clause.operator != "==" or clause.prefix]
    zeros = text.endswith(".0") or any(clause.version.text.endswith(".0") for clause in constraint.clauses)
    if found is not None and found.exact and wanted and not zeros:
        assert versions.admits(found.text, text) == constraint.admits(Version(text))


@pytest.mark.parametrize(
    ("constraint", "ranges"),
    [
        ("", ""),
        (">=11.2", "11.2:"),
        (">=11.2,<12", "11.2:11"),
        ("<11.4", ":11.3"),
        ("<2.0", ":1"),
        (">=3.16.0", "3.16:"),
        ("==3.12.*", "3.12"),
        ("~=1.4.2", "1.4.2:1.4"),
        ("==1.2.3", "=1.2.3"),
        (">=1,<2", "1"),
    ],
)
def test_ranges_read_as_spack_users_write_them(constraint: str, ranges: str) -> None:
    assert versions.ranges(Constraint.parse(constraint), ()) == versions.Ranges(text=ranges, exact=True)


@pytest.mark.parametrize(("constraint", "known", "ranges"), [
    ("<=1.4", "1.4 1.4.1", "=1.4"),
    ("<=1.4", "1.3 1.4", ":1.4"),
    (">1.4", "1.4 1.5", "=1.5"),
    ("!=1.5", "1.4 1.5 1.6", "=1.4,=1.6"),
    ("==1.4", "1.4 1.4.0", "=1.4,=1.4.0"),
    (">=1.1.1w", "1.1.1v 1.1.1w", "=1.1.1w"),
    (">=3", "1 2", "3:"), (">1.1.1w", "1.1.1w", None),
])  # fmt: skip
def test_versions_are_listed_where_no_range_says_it(constraint: str, known: str, ranges: str | None) -> None:
    found = versions.ranges(Constraint.parse(constraint), [Version(text) for text in known.split()])
    assert (found.text if found else None) == ranges


@pytest.mark.parametrize(("ranges", "version", "admitted"), [
    (":1.4", "1.4.9", True), (":1.4", "1.5", False), ("1.4:", "1.4", True), ("=1.4", "1.4.1", False),
    ("1.4", "1.4.9", True), ("1.4:", "1.4rc1", False), (":1.3", "1.4rc1", True), (":11", "main", False),
    ("11:", "main", True), (":1.1.1v", "1.1.1w", False), ("=1.2,=1.4:1.5", "1.4", True),
])  # fmt: skip
def test_model_matches_as_spack_does(ranges: str, version: str, admitted: bool) -> None:
    assert versions.admits(ranges.replace("=1.4:", "1.4:"), version) is admitted


@pytest.mark.integration
@settings(max_examples=3, phases=(Phase.explicit, Phase.generate), deadline=None)  # each starts a Spack
@given(st.lists(st.tuples(CONSTRAINTS, st.lists(TEXTS, min_size=1, max_size=8)), min_size=60, max_size=120))
def test_spack_itself_matches_as_the_model_does(cases: list[tuple[Constraint, list[str]]]) -> None:
    root = os.environ.get("SPACK_ROOT") or pytest.skip("SPACK_ROOT names no Spack")
    asked = []
    for constraint, texts in cases:
        found = versions.ranges(constraint, ())
        if found is not None and found.text:
            asked += [(found.text, text) for text in texts]
    code = f"""\
from spack.version import ver, Version
print([Version(v).satisfies(ver(r)) for r, v in {asked!r}])
"""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "ask.py")
        file.write_text(code)
        spack = Path(root) / "bin/spack"
        done = subprocess.run([spack, "python", file], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == str([versions.admits(*pair) for pair in asked])
