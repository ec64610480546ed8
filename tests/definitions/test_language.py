"""Requirements, conditions and constraints are read as written, and faults tell their character."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lode.definitions import language
from lode.definitions.requirement import Condition, Requirement
from lode.definitions.version import Constraint
from lode.errors import Place


def fault(parser: Callable[[str], object], text: str) -> tuple[int, str, str | None]:
    with pytest.raises(language.LanguageError) as caught:
        parser(text)
    return caught.value.offset, str(caught.value), caught.value.hint


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("zlib", "zlib"),
        ("cmake >=3.16", "cmake >=3.16"),
        ("cmake>=3.16", "cmake >=3.16"),
        ("python ==3.12.*", "python ==3.12.*"),
        ("geant4 <11.4, >= 11.2 ,>=11.2 +gdml ~qt cxxstd=17", "geant4 >=11.2,<11.4 cxxstd=17 +gdml ~qt"),
        ("  hdf5  +mpi ", "hdf5 +mpi"),
        ("hdf5+mpi", "hdf5 +mpi"),
        ("root ==6.32.04", "root ==6.32.04"),
        ("openssl ==1.1.1w", "openssl ==1.1.1w"),
    ],
)
def test_requirement_has_one_written_form(text: str, written: str) -> None:
    assert str(language.requirement(text)) == written


@pytest.mark.parametrize(
    ("text", "fault_at"),
    [
        ("", (0, "a package name is missing", None)),
        (
            "<11.4 +gdml",
            (
                0,
                "'<11.4 +gdml' begins with a constraint, not a package name",
                "inside [...] a comma ends the item: quote the whole requirement, or write one '- item' a line",
            ),
        ),
        ("Geant4", (0, "'Geant4' is not a package name", "did you mean 'geant4'?")),
        ("scikit_build", (0, "'scikit_build' is not a package name", "did you mean 'scikit-build'?")),
        ("geant4@11.2", (0, "'geant4@11.2' is not a package name", "write geant4 ==11.2")),
        ("a/b", (0, "'a/b' is not a package name", "lower-case letters, digits and dashes")),
        ("geant4 11.2", (7, "'11.2' is not understood", "write geant4 ==11.2")),
        ("geant4 =11.2", (7, "'=11.2' is not understood", "write geant4 ==11.2")),
        ("geant4 nest", (7, "'nest' is not understood", "one package an item")),
        ("cmake >=3.16 <4", (13, "a second constraint", "join them with a comma: >=1.2,<2")),
        ("cmake >=3.16,<", (13, "not a version constraint: '<'", None)),
        ("cmake >=3.16,,<4", (13, "a comma with nothing beside it", None)),
        ("cmake >=3.*", (6, "'.*' goes with == and != only: '>=3.*'", None)),
        ("hdf5 +mpi ~mpi", (10, "the option 'mpi' is given twice", None)),
        ("hdf5 +MPI", (6, "'MPI' is not an option's name", "lower-case letters, digits and dashes")),
        ("hdf5 api=", (9, "'' is not a value of api", None)),
        (
            "hdf5 os=debian",
            (
                5,
                "'os=debian' is a condition, not a requirement",
                "put it into 'when:', or into the stack's targets: os is no option",
            ),
        ),
    ],
)
def test_faulty_requirement_tells_its_character_and_what_to_do(
    text: str, fault_at: tuple[int, str, str | None]
) -> None:
    assert fault(language.requirement, text) == fault_at


def test_condition_holds_every_part() -> None:
    condition = language.condition(
        "<3,>=2.4 +gdml ~x cxxstd=17 os=el os=debian arch=x86_64 target=el9-x86_64 ^python<3.12"
    )
    assert condition == Condition(
        version=Constraint.parse(">=2.4,<3"),
        options=(("cxxstd", "17"), ("gdml", "true"), ("x", "false")),
        targets=("el9-x86_64",),
        os=("debian", "el"),
        arch=("x86_64",),
        packages=(Requirement(package="python", constraint=Constraint.parse("<3.12")),),
    )


@pytest.mark.parametrize(
    ("text", "fault_at"),
    [
        (" ", (0, "the condition is empty", "leave it out where it always holds")),
        (
            "^python >=3.11",
            (
                8,
                "a constraint in the wrong place",
                "write ^python>=3.11 without a space, and the package's own constraint first",
            ),
        ),
        ("^python ^python<4", (8, "^python is stated twice", "join them with a comma")),
        ("^Python", (1, "'Python' is not a package name", "did you mean 'python'?")),
        (
            "gdml",
            (
                0,
                "'gdml' is not understood",
                "a condition has parts such as >=2.4 +option ~option option=value os=debian arch=x86_64 ^python<3.12",
            ),
        ),
        ("+gdml >=2.x.*", (6, "'.*' goes with == and != only: '>=2.x.*'", None)),
        ("+", (1, "'' is not an option's name", "lower-case letters, digits and dashes")),
    ],
)
def test_faulty_condition_tells_its_character_and_what_to_do(text: str, fault_at: tuple[int, str, str | None]) -> None:
    assert fault(language.condition, text) == fault_at


@pytest.mark.parametrize(
    ("text", "fault_at"),
    [
        ("", (0, "a constraint is empty", "leave it out to admit every version")),
        ("2.4", (0, "'2.4' is not a constraint", "begin with one of >= <= > < == != ~=")),
        (">=2.4 +gdml", (0, "not a version constraint: '>=2.4 +gdml'", None)),
    ],
)
def test_faulty_constraint_tells_its_character_and_what_to_do(text: str, fault_at: tuple[int, str, str | None]) -> None:
    assert fault(language.constraint, text) == fault_at


def test_place_of_a_requirement_does_not_count_in_comparisons() -> None:
    assert language.requirement("zlib", Place(file="f", line=1, column=2)) == language.requirement("zlib")


CLAUSES = st.lists(
    st.tuples(st.sampled_from([">=", "<=", "<", ">", "!="]), st.sampled_from(["1", "1.2", "2.0rc1", "3.4.5w"])),
    max_size=3,
).map(lambda pairs: ",".join(operator + version for operator, version in pairs))
OPTIONS = st.dictionaries(
    st.sampled_from(["gdml", "qt", "cxxstd", "x"]), st.sampled_from(["true", "false", "17", "a.b"]), max_size=3
)


def words(options: dict[str, str]) -> list[str]:
    return [{"true": f"+{name}", "false": f"~{name}"}.get(value, f"{name}={value}") for name, value in options.items()]


@given(CLAUSES, OPTIONS, st.randoms())
def test_requirement_is_read_back_from_its_written_form(clauses: str, options: dict[str, str], random: object) -> None:
    parts = [*([clauses] if clauses else []), *words(options)]
    random.shuffle(parts)  # type: ignore[attr-defined]
    request = language.requirement(" ".join(["geant4", *parts]))
    assert language.requirement(str(request)) == request
    assert request.options == tuple(sorted(options.items()))


@given(CLAUSES, OPTIONS, st.sets(st.sampled_from(["os=debian", "os=el", "arch=x86_64", "target=el9-x86_64"])), CLAUSES)
def test_condition_is_read_back_from_its_written_form(
    clauses: str, options: dict[str, str], hosts: set[str], other: str
) -> None:
    text = " ".join([*([clauses] if clauses else []), *words(options), *hosts, f"^python{other}"])
    condition = language.condition(text)
    assert language.condition(str(condition)) == condition


@given(st.text(alphabet="abAB01.>=<!~+^,_- @*\n", max_size=30))
def test_any_text_is_read_or_refused_within_its_bounds(text: str) -> None:
    for parser in (language.requirement, language.condition, language.constraint):
        try:
            parser(text)
        except language.LanguageError as error:
            assert 0 <= error.offset <= len(text) + 1  # noqa: PT017
