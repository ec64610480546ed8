"""Definitions are checked among each other: names, versions, options, patches, circles."""

from __future__ import annotations

import pytest
from tests.definitions.writing import SHA256, named, stack, target

from lode.definitions import cycles, lint, read_recipe, read_stack, read_target
from lode.definitions.lint import Known
from lode.definitions.recipe import Recipe

TESTED = "tests: [{name: a, run: b}]"
ZLIB = named("zlib", TESTED, "options: {shared: {default: true, summary: s}}")
CMAKE = "externals: [{package: cmake, version: '3.25.1', system_package: cmake, program: /usr/bin/cmake}]"


def known(*contents: bytes) -> tuple[dict[str, Recipe], Known]:
    recipes = {
        recipe.name: recipe
        for recipe in (read_recipe.read(content, file=f"r{index}") for index, content in enumerate(contents))
    }
    debian = read_target.read(target(CMAKE), file="t")
    el9 = read_target.read(target("name: el9-x86_64", "os: el"), file="t")
    return recipes, Known(
        names=frozenset(recipes) | {"broken"},
        find=recipes.get,
        targets={debian.name: debian, el9.name: el9},
        target_names=frozenset({debian.name, el9.name}),
        stacks=frozenset({"base@2026.11"}),
    )


def found(*changes: str) -> list[str]:
    """Return what is wrong with nest with `changes` beside zlib."""
    tested = () if any(change.startswith("tests") for change in changes) else (TESTED,)
    recipes, others = known(named("nest", *tested, *changes), ZLIB)
    return [str(fault) for fault in lint.recipe_faults(recipes["nest"], others)]


def versions(lines: str) -> str:
    source = f"source: [{{url: https://example.org/a, sha256: {SHA256}}}]"
    return f'versions:\n  - version: "2.4.0"\n    {source}\n    {lines}\n  - version: "2.5.0"\n    {source}\n'


def test_sound_recipe_has_no_faults() -> None:
    assert found("dependencies: {build: [cxx, cmake >=3.16], link: [zlib ==2.4.* +shared], run: [broken]}") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["dependencies: {link: [zlob]}"],
         "r0:12:23: nest needs zlob, which nobody provides\n  hint: did you mean 'zlib'?"),
        (["dependencies: {link: [hdf5]}"],
         "r0:12:23: nest needs hdf5, which nobody provides\n  hint: write recipes/hdf5/recipe.yaml"),
        (["dependencies: {link: [zlib >=3]}"],
         "r0:12:23: nest needs zlib >=3, and no known version is that\n  hint: known versions: 2.4.0"),
        (["dependencies: {build: [cmake >=4]}"],
         "r0:12:24: nest needs cmake >=4, and no known version is that\n  hint: known versions: 3.25.1"),
        (["dependencies: {build: [cmake +qt]}"],
         "r0:12:24: nest needs cmake +qt, and only an OS provides cmake, which has no options"),
        (["dependencies: {link: [zlib +share]}"],
         "r0:12:23: nest needs zlib +share, and zlib has no option 'share'\n  hint: did you mean 'shared'?"),
        (["dependencies: {link: [zlib shared=17]}"],
         "r0:12:23: nest needs zlib shared=17, and the option 'shared' of zlib has no value '17'\n"
         "  hint: its values: true, false"),
        (["conflicts: [{package: zlob, reason: r}]"],
         "r0:12:23: nest conflicts with zlob, which nobody provides\n  hint: did you mean 'zlib'?"),
        (["dependencies: {link: [{package: zlib, when: ^zlob<3}]}"],
         "r0:12:33: the condition '^zlob<3' names zlob, which nobody provides\n  hint: did you mean 'zlib'?"),
        (["dependencies: {link: [{package: zlib, when: '>=9'}]}"],
         "r0:12:33: warning: the condition '>=9' holds for no version of nest\n  hint: known versions: 2.4.0"),
        (["dependencies: {link: [{package: zlib, when: os=debain}]}"],
         "r0:12:33: warning: the condition 'os=debain' holds on no target: none has os=debain\n"
         "  hint: did you mean 'debian'?"),
        (["dependencies: {link: [{package: zlib, when: arch=sparc}]}"],
         "r0:12:33: warning: the condition 'arch=sparc' holds on no target: none has arch=sparc\n"
         "  hint: known: x86_64"),
        (["tests: []"],
         "r0:1:1: warning: nest has no test\n"
         '  hint: add `tests:` with one proof that it works, such as {name: version, run: "prog --version"}'),
        (["tags: [simulation]"],
         "r0:1:1: warning: nest says nothing to cite\n  hint: add `cite:` with the DOI that its authors ask for"),
        (["license: LicenseRef-Unknown"],
         "r0:1:1: warning: the licence of nest is not known\n"
         "  hint: write its SPDX expression, or a LicenseRef- of your own with its text in the documentation"),
        (["options: {qt: {default: false, summary: s}}"],
         "r0:12:11: warning: the option 'qt' of nest changes nothing\n"
         "  hint: use it in `when: +qt` or {option: qt, define: …}, or remove it"),
        ([versions("patches: [{file: p, reason: gcc 13, until: '>=2.4'}]")],
         "r0:8:15: the patch p must be gone from >=2.4 on, and is listed for 2.4.0\n"
         "  hint: remove it there, or correct `until`; it was for: gcc 13"),
    ],
)  # fmt: skip
def test_fault_among_recipes_is_told_at_its_place(changes: list[str], message: str) -> None:
    assert found(*changes) == [message]


def test_patch_before_its_end_is_sound() -> None:
    assert found(versions("patches: [{file: p, reason: gcc 13, until: '>=2.5'}]")) == []


def test_bundle_needs_no_test() -> None:
    recipes, others = known(b"name: all\nsummary: s\nhomepage: https://example.org\nlicense: MIT\n"
                            b"versions: [{version: '1'}]\nbuild: {system: bundle}\n")  # fmt: skip
    assert list(lint.recipe_faults(recipes["all"], others)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("targets: [debian12-x86_64, debian13-x86_64]",
         "s:1:1: there is no target called 'debian13-x86_64'\n  hint: did you mean 'debian12-x86_64'?"),
        ("requirements: [zlip]", "s:6:16: dance requires zlip, which nobody provides\n  hint: did you mean 'zlib'?"),
        ("requirements: [zlib >=99]",
         "s:6:16: dance requires zlib >=99, and no known version is that\n  hint: known versions: 2.4.0"),
        ("requirements: [zlib +qt]",
         "s:6:16: dance requires zlib +qt, and zlib has no option 'qt'\n  hint: its options: shared"),
        ("own: [zlob]", "s:1:1: own: there is no recipe called 'zlob'\n  hint: did you mean 'zlib'?"),
        ("upstream: [root]", "s:1:1: upstream: there is no recipe called 'root'"),
        ("extends: base@2026.10",
         "s:1:1: extends: there is no stack base@2026.10\n  hint: did you mean 'base@2026.11'?"),
        ("tests: [{name: a, run: b, when: target=el10-x86_64}]",
         "s:7:9: warning: the condition 'target=el10-x86_64' holds on no target: none has target=el10-x86_64\n"
         "  hint: did you mean 'el9-x86_64'?"),
    ],
)  # fmt: skip
def test_fault_of_a_stack_among_the_others_is_told(change: str, message: str) -> None:
    _, others = known(ZLIB)
    dance = read_stack.read(stack("requirements: [zlib]", change), file="s")
    assert [str(fault) for fault in lint.stack_faults(dance, others)] == [message]


def circles(selected: list[str], **needs: str) -> list[str]:
    """Return the circles that `selected` are in, of recipes whose dependencies are as `needs` says."""
    recipes, others = known(*(named(name, f"dependencies: {{{text}}}") for name, text in needs.items()))
    return [str(fault) for fault in cycles.faults([recipes[name] for name in selected], others)]


def test_circle_is_told_by_its_shortest_way_round() -> None:
    assert circles(["a", "b", "g", "d"], a="link: [b, g]", b="run: [g]", g="build: [d]", d="link: [a]") == [
        "r0:11:26: dependencies form a circle: a > g > d > a\n  hint: remove one of these, or put it under a condition"
    ]


def test_circle_that_a_condition_opens_is_a_warning() -> None:
    assert circles(["a", "b"], a="link: [{package: b, when: '>=2.4'}]", b="link: [a]") == [
        "r0:11:33: warning: dependencies form a circle: a > b > a\n"
        "  hint: remove one of these, or put it under a condition"
    ]


def test_circle_through_a_tool_of_the_os_is_a_warning() -> None:
    assert circles(["cmake"], cmake="link: [zlib]", zlib="build: [cmake]")[0].startswith("r0:11:23: warning: ")


def test_circle_of_tests_is_none() -> None:
    assert circles(["a"], a="test: [b]", b="link: [a]") == []


def test_circle_of_others_is_left_to_them() -> None:
    assert circles(["a"], a="link: [b]", b="link: [g]", g="link: [b]") == []


def test_two_circles_are_told_apart() -> None:
    assert [line.partition("circle: ")[2].partition("\n")[0] for line in circles(
        ["a", "b", "g", "d"], a="link: [b]", b="link: [a, g]", g="link: [d]", d="link: [g]"
    )] == ["a > b > a", "d > g > d"]  # fmt: skip


def test_very_long_chain_is_walked_without_recursion() -> None:
    chain = {f"p{number}": f"link: [p{number + 1}]" for number in range(1500)}
    assert circles(["p0"], **chain, p1500="") == []
