"""Finding a Spack, and refusing one that is not what the stack pins."""

from __future__ import annotations

from pathlib import Path

import pytest

from lode.building.spack import Spack, find, reason, refuse_unpinned
from lode.definitions.stack import Pins
from lode.errors import HostError

PINNED, OTHER = "1" * 40, "2" * 40


def spack(commit: str = PINNED, packages_commit: str = PINNED) -> Spack:
    return Spack(root=Path("/s"), version="1.1.0", commit=commit, packages=Path("/p"), packages_commit=packages_commit,
                 python=Path("/usr/bin/python3"), python_folders=())  # fmt: skip


def test_no_spack_says_how_to_get_one() -> None:
    with pytest.raises(HostError) as error:
        find({"PATH": "/nowhere"}, packages=None)
    assert str(error.value) == (
        "there is no Spack here\n  hint: clone https://github.com/spack/spack.git and name the folder with SPACK_ROOT"
    )


def test_a_folder_that_is_no_spack_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError) as error:
        find({"SPACK_ROOT": str(tmp_path)}, packages=None)
    assert error.value.faults[0].message == f"SPACK_ROOT names {tmp_path}, which has no bin/spack"


def test_another_commit_than_the_pinned_one_is_refused_with_the_override() -> None:
    with pytest.raises(HostError) as error:
        refuse_unpinned(spack(commit=OTHER), Pins(spack=PINNED))
    assert str(error.value) == (
        f"/s has Spack of commit {OTHER}, and the stack pins {PINNED}\n"
        f"  hint: git -C /s checkout {PINNED}, or build with --any-spack"
    )
    with pytest.raises(HostError) as error:
        refuse_unpinned(spack(packages_commit=""), Pins(spack_packages=PINNED))
    assert error.value.faults[0].message == (f"/p has Spack's packages of commit unknown, and the stack pins {PINNED}")


def test_what_the_stack_does_not_pin_may_be_anything() -> None:
    refuse_unpinned(spack(commit="", packages_commit=""), Pins())


def test_what_spack_gives_as_its_reasons_is_told_without_what_tells_nothing() -> None:
    said = [
        "==> Error: failed to concretize `app@=1.0` for the following reasons:",
        "     1. cannot satisfy a requirement for package 'app'.",
        "     2. Cannot satisfy 'gcc@10.2.1' 1(16.1.0)",
        "     3. Cannot build gcc, since it is configured `buildable:false` and no externals satisfy the request",
        "        required because gcc@10.2.1 is a requirement for package cxx ",
    ]
    first = "failed to concretize `app@=1.0` for the following reasons:"
    assert reason(said) == (
        f"{first} Cannot satisfy 'gcc@10.2.1' 1(16.1.0); "
        "Cannot build gcc, since it is configured `buildable:false` and no externals satisfy the request"
    )
    assert reason(said[:2]) == f"{first} cannot satisfy a requirement for package 'app'"


def test_what_spack_calls_its_error_is_told_else_the_last_that_it_said() -> None:
    assert reason(["==> Fetching", "==> Error: no such variant", "", "    more"]) == "no such variant"
    assert reason(["Killed", ""]) == "Killed"
    assert reason([]) == "it said nothing"
