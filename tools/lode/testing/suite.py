"""Which tests there are to run in a prefix, and what each of them lacks there; a function of the lock alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lode.definitions.recipe import Kind
from lode.errors import UsageError
from lode.installing.select import selected
from lode.locking.graph import Lock, LockedTest, Node, dependencies

STACK = ""  # the package name under which the stack's own tests run
STACK_FOLDER = ".stack"  # their folder below `.lode/tests`


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test of one node, or of the stack, and the reason why it cannot run in this prefix, if there is one."""

    package: str  # "" for the stack
    version: str
    test: LockedTest
    lacks: str = ""

    @property
    def kind(self) -> str:
        """Return "compile", "python" or "run"."""
        return "compile" if self.test.compile else "python" if self.test.python else "run"

    @property
    def folder(self) -> str:
        """Return the folder of its files, relative to the prefix."""
        return f".lode/tests/{self.package or STACK_FOLDER}"

    @property
    def title(self) -> str:
        """Return how people see it: `nest: er-yields`, and `stack: chain`."""
        return f"{self.package or 'stack'}: {self.test.name}"


def installed(lock: Lock, target: str, group: str | None) -> frozenset[str]:
    """Return the packages that a prefix of the stack, or of its group, holds; UsageError for an unknown group."""
    return frozenset(node.package for node in selected(lock, target, group) if node.provider == "lode")


def select(lock: Lock, target: str, *, group: str | None, packages: Sequence[str] = ()) -> tuple[Case, ...]:
    """Return the tests to run, packages by name and the stack's own last.

    `packages` narrows it to those; "stack" among them stands for the stack's own tests. UsageError when one of them is
    not in the prefix.
    """
    present = installed(lock, target, group)
    _refuse_unknown(packages, present, lock)
    cases = [
        Case(package=node.package, version=node.version, test=test, lacks=_lacks(_missing(node, target, present, test)))
        for node in lock.nodes
        if node.package in present and (not packages or node.package in packages)
        for test in node.tests
        if target in test.targets
    ]
    if not packages or "stack" in packages:
        partial = f"it tests the whole stack, this prefix holds the group '{group}'" if group is not None else ""
        cases += [
            Case(package=STACK, version=lock.release, test=test, lacks=partial)
            for test in lock.tests
            if target in test.targets
        ]
    return tuple(cases)


def _missing(node: Node, target: str, present: frozenset[str], test: LockedTest) -> list[str]:
    wanted = set(dependencies(node, target, (Kind.TEST,)))
    if test.python:
        wanted.add("python")
    return sorted(wanted - present - {node.package})


def _lacks(packages: Sequence[str]) -> str:
    return f"needs {', '.join(packages)}, not in this prefix" if packages else ""


def _refuse_unknown(packages: Sequence[str], present: frozenset[str], lock: Lock) -> None:
    locked = {node.package for node in lock.nodes}
    holds = f"the prefix holds: {', '.join(sorted(present))}"
    for package in packages:
        if package in present or package == "stack":
            continue
        if package in locked:
            raise UsageError(f"'{package}' is in the lock, but not installed in this prefix", hint=holds)
        raise UsageError(f"'{package}' is not in {lock.stack} {lock.release}", hint=holds)
