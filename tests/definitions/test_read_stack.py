"""A stack is read whole, or every fault of it is told at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions.writing import COMMIT, stack

from lode.definitions import language, read_stack
from lode.definitions.stack import Group, Pins, Publish, StackDefinition
from lode.errors import DefinitionError

FULL = (
    "extends: base@2026.11",
    "targets: [el9-x86_64, debian12-x86_64]",
    """requirements:
  - zlib
  - geant4 >=11.2,<11.4 +gdml ~qt
  - python ==3.12.*
""",
    "groups: {simulation: [zlib, geant4], daq: [hdf5]}",
    "own: [ninja, cmake]",
    "upstream: [root]",
    f"""pins:
  spack: {COMMIT}
  spack-packages: {COMMIT}
  conda-channels: [{{name: conda-forge, snapshot: 2026-10-01T00}}, {{name: bioconda, snapshot: a}}]
""",
    "tests: [{name: chain, run: run-chain, numbers: references/yields.json, tolerance: 1e-6, when: os=debian ^python}]",
    "publish: {registry: ghcr.io/dance/stack, cvmfs: dance.example.org, channel: https://example.org/channel}",
)


def read(*changes: str) -> StackDefinition:
    return read_stack.read(stack(*changes), file="s", name="dance", release="2026.11")


def faults(*changes: str) -> str:
    with pytest.raises(DefinitionError) as caught:
        read(*changes)
    return str(caught.value)


def test_shortest_stack_goes_to_the_default_repository() -> None:
    shortest = read()
    assert (shortest.name, shortest.release, shortest.date) == ("dance", "2026.11", "2026-11-01")
    assert shortest.publish == Publish(cvmfs="lode.example.org")
    assert shortest.pins == Pins()


def test_whole_stack_is_read_and_sorted() -> None:
    full = read(*FULL)
    assert full.extends == "base@2026.11"
    assert full.targets == ("debian12-x86_64", "el9-x86_64")
    assert full.requirements == tuple(
        map(language.requirement, ["geant4 >=11.2,<11.4 +gdml ~qt", "python ==3.12.*", "zlib"])
    )
    assert [str(request.place) for request in full.requirements] == ["s:8:5", "s:9:5", "s:7:5"]
    assert full.groups == (
        Group(name="daq", packages=("hdf5",)),
        Group(name="simulation", packages=("geant4", "zlib")),
    )
    assert (full.own, full.upstream) == (("cmake", "ninja"), ("root",))
    assert full.pins == Pins(
        spack=COMMIT, spack_packages=COMMIT, conda_channels=(("bioconda", "a"), ("conda-forge", "2026-10-01T00"))
    )
    assert full.tests[0].numbers == "references/yields.json"
    assert full.publish == Publish(
        cvmfs="dance.example.org", registry="ghcr.io/dance/stack", channel="https://example.org/channel"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("release: 2026.10",
         "s:2:10: release: 2026.10 is not quoted: other YAML tools read it as the number 2026.1\n"
         '  hint: write "2026.10"'),
        ('release: "2026.12"',
         "s:2:10: release: '2026.12' is in the folder '2026.11'\n"
         "  hint: rename the folder or write: release: '2026.11'"),
        ("date: 2026-02-30", "s:3:7: date: 2026-02-30 is not a day of the calendar"),
        ("date: soon", "s:3:7: date: expected a date such as 2026-11-30, found 'soon'"),
        ("targets: []", "s:5:10: targets: the list is empty"),
        ("targets: [debian]", "s:5:11: targets: 'debian' is not a target name\n  hint: <os>-<arch>: debian12-x86_64"),
        ("requirements: [geant4 >=11.2,<11.4 +gdml ~qt, nest]",
         "s:6:30: requirement: '<11.4 +gdml ~qt' begins with a constraint, not a package name\n"
         "  hint: inside [...] a comma ends the item: quote the whole requirement, or write one '- item' a line"),
        ("requirements: [nest >=2, zlib, nest <3]",
         "s:6:32: nest is required twice\n  hint: join it with the one at s:6:16"),
        ("requirements: [nest >= x]", None),
        ("groups: {daq: [zlob]}",
         "s:9:16: the group 'daq' has zlob, which the stack does not require\n  hint: did you mean 'zlib'?"),
        ("groups: {daq: [hdf5]}",
         "s:9:16: the group 'daq' has hdf5, which the stack does not require\n  hint: add it to requirements"),
        ("groups: {daq: []}", "s:9:15: daq: the list is empty"),
        ("extends: base", "s:9:10: extends: 'base' is not a stack and its release\n  hint: such as base@2026.11"),
        ("pins: {spack: develop}",
         "s:9:15: spack: 'develop' is not a commit\n  hint: 40 lower-case hexadecimal digits"),
        ("pins: {conda-channels: [{name: a, snapshot: b}, {name: a, snapshot: c}]}",
         "s:9:56: the channel 'a' is pinned twice"),
        ("publish: {cvmfs: dance}",
         "s:9:18: cvmfs: 'dance' is not a CernVM-FS repository name\n  hint: such as dance.example.org"),
        ("tests: [{name: a, run: b, when: +gdml}]",
         "s:9:33: when: a stack has no options and no version of its own\n"
         "  hint: a stack's test can depend on targets and packages: os=debian ^python>=3.12"),
    ],
)  # fmt: skip
def test_faulty_stack_is_told_at_its_place(change: str, message: str | None) -> None:
    if message is None:  # a version may be a word
        assert str(read(change).requirements[0]) == "nest >=x"
    else:
        assert faults(change) == message


def test_group_of_a_stack_that_extends_another_may_name_what_that_requires() -> None:
    assert read("extends: base@2026.11", "groups: {daq: [hdf5]}").groups[0].packages == ("hdf5",)


@given(st.permutations(["nest >=2.4", "zlib", "hdf5 +mpi", "geant4 >=11"]))
def test_order_of_requirements_does_not_count(requests: list[str]) -> None:
    def asked(lines: list[str]) -> StackDefinition:
        return read("requirements:\n" + "".join(f"  - {line}\n" for line in lines))

    assert asked(requests) == asked(sorted(requests))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_stack_or_a_definition_error(content: bytes) -> None:
    try:
        read_stack.read(content, file="s")
    except DefinitionError as error:
        assert str(error).startswith("s")  # noqa: PT017
