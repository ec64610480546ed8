"""The tests that a prefix has follow from the lock."""

import pytest
from tests.testing.factory import TARGET, lock, locked_test, node

from lode.definitions.recipe import Kind
from lode.errors import UsageError
from lode.locking.graph import Lock
from lode.testing.suite import installed, select


def stack() -> Lock:
    app = {"lib": [Kind.LINK], "cmake": [Kind.BUILD], "pytest": [Kind.TEST]}
    reads = [locked_test("links", run="true"), locked_test("reads", python="import lib")]
    elsewhere = locked_test("elsewhere", run="true", targets=("el9-x86_64",))
    return lock(
        node("app", needs=app, tests=[locked_test("works", run="true")]),
        node("lib", needs={"base": [Kind.BUILD, Kind.LINK]}, tests=reads),
        node("base"),
        node("cmake", tests=[locked_test("version", run="cmake --version")]),
        node("pytest"),
        node("daq", needs={"base": [Kind.RUN]}, tests=[elsewhere]),
        node("python", tests=[locked_test("imports", python="import ssl")]),
        requirements=["app >=1 +x", "daq"],
        groups={"acquisition": ("daq",)},
        tests=[locked_test("chain", run="true")],
    )


def test_prefix_holds_what_was_asked_for_and_its_link_and_run_needs() -> None:
    assert installed(stack(), TARGET, None) == {"app", "lib", "base", "daq"}


def test_prefix_of_a_group_holds_the_group_and_its_needs() -> None:
    assert installed(stack(), TARGET, "acquisition") == {"daq", "base"}


def test_packages_that_the_stack_delegates_are_not_in_the_prefix() -> None:
    assert installed(lock(node("a"), node("b", provider="upstream")), TARGET, None) == {"a"}


def test_tests_come_by_package_with_those_of_the_stack_last() -> None:
    assert [(case.title, case.kind, case.lacks) for case in select(stack(), TARGET, group=None)] == [
        ("app: works", "run", "needs pytest, not in this prefix"),
        ("lib: links", "run", ""),
        ("lib: reads", "python", "needs python, not in this prefix"),
        ("stack: chain", "run", ""),
    ]


def test_stack_tests_are_skipped_in_a_group() -> None:
    assert [(case.title, case.lacks) for case in select(stack(), TARGET, group="acquisition")] == [
        ("stack: chain", "it tests the whole stack, this prefix holds the group 'acquisition'")
    ]


def test_packages_narrow_the_tests() -> None:
    assert [case.title for case in select(stack(), TARGET, group=None, packages=["lib"])] == [
        "lib: links",
        "lib: reads",
    ]
    assert [case.title for case in select(stack(), TARGET, group=None, packages=["stack", "app"])] == [
        "app: works",
        "stack: chain",
    ]


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("cmake", "'cmake' is in the lock, but not installed in this prefix"),
        ("root", "'root' is not in mini 2026.11"),
    ],
)
def test_package_that_is_not_in_the_prefix_is_refused(package: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        select(stack(), TARGET, group=None, packages=[package])
    assert str(refused.value) == f"{message}\n  hint: the prefix holds: app, base, daq, lib"


def test_unknown_group_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        select(stack(), TARGET, group="analysis")
    assert str(refused.value) == "mini@2026.11 has no group analysis\n  hint: its groups: acquisition"


def test_tests_of_a_package_lie_in_its_folder_and_those_of_the_stack_in_their_own() -> None:
    assert [case.folder for case in select(stack(), TARGET, group=None, packages=["app", "stack"])] == [
        ".lode/tests/app",
        ".lode/tests/.stack",
    ]
