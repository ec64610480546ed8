"""Finding a Spack, and refusing one that is not what the stack pins."""

from __future__ import annotations

from pathlib import Path

import pytest

from lode.building.spack import Spack, find, refuse_unpinned
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
