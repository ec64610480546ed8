from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from tests.building.factory import TARGET, build, graph, node, source
from tests.golden.check import same_as_golden

from lode.definitions.recipe import System
from lode.definitions.target import Compiler
from lode.locking.graph import LockedBuild, Node
from lode.rendering import script

BUILDS: dict[str, LockedBuild] = {
    "cmake": build(
        System.CMAKE,
        args=["-DBUILD_SHARED_LIBS=ON", "-DDATA=$PREFIX/share/$HOME", 'a"b`c\\d'],
        subdirectory="lib/with space",
        targets=("core", "tools"),
        install_targets=("install", "install-data"),
        environment=(("CXXFLAGS", "$CXXFLAGS -DNDEBUG"), ("MODE", "a b")),
        prepare="rm -rf bundled\n",
        finish="ln -s a $PREFIX/b",
    ),
    "cmake-in-source": build(System.CMAKE, in_source=True),
    "autotools": build(System.AUTOTOOLS, args=["--enable-shared", "CFLAGS=$CFLAGS -g0"], jobs=1),
    "autotools-in-source": build(System.AUTOTOOLS, in_source=True, install_targets=("install", "V=1")),
    "meson": build(System.MESON, args=["-Ddocs=false"]),
    "make": build(System.MAKE, args=["PREFIX=$PREFIX"], targets=("lib",), install_targets=("install-lib",)),
    "python": build(System.PYTHON, args=["-Csetup-args=-Dblas=none"], subdirectory="python"),
    "wheel": build(System.WHEEL),
    "script": build(System.SCRIPT, script='make -j"$JOBS"\nmake install PREFIX="$PREFIX"\n'),
    "bundle": build(System.BUNDLE),
}


def made(steps: LockedBuild) -> Node:
    wheel = steps.system is System.WHEEL
    sources = (source("numpy-2.0-cp313-cp313-manylinux_2_28_x86_64.whl", unpack=False),) if wheel else ()
    return graph(node("example", build=steps, sources=sources))["example"]


@pytest.mark.parametrize("name", sorted(BUILDS))
def test_each_build_system_has_its_script(name: str) -> None:
    text = script.script(made(BUILDS[name]), TARGET, root="/lode/build", jobs=4)
    same_as_golden(f"rendering/scripts/{name}.sh", text.encode())


@pytest.mark.integration
@pytest.mark.parametrize("name", sorted(BUILDS))
def test_each_script_is_valid_sh(name: str) -> None:
    text = script.script(made(BUILDS[name]), TARGET, root="/a folder/it's here", jobs=4)
    subprocess.run(["dash", "-n"], input=text.encode(), check=True)


def test_arguments_of_other_targets_are_left_out() -> None:
    steps = build(System.CMAKE, args=["-DOURS=1", "-DTHEIRS=1"])
    ours, theirs = steps.args
    steps = replace(steps, args=(ours, replace(theirs, targets=("el9-x86_64",))))
    text = script.script(made(steps), TARGET, root="/r", jobs=1)
    assert "-DOURS=1" in text
    assert "-DTHEIRS=1" not in text


def test_a_limit_on_jobs_holds() -> None:
    limited = made(build(System.MAKE, jobs=2))
    assert "\nJOBS=2\n" in script.script(limited, TARGET, root="/r", jobs=8)
    assert "\nJOBS=1\n" in script.script(limited, TARGET, root="/r", jobs=1)


def test_a_fortran_compiler_is_named_when_the_target_has_one() -> None:
    compiler = Compiler(name="gcc", version="12.2.0", languages=("c", "fortran"), fortran="/usr/bin/gfortran")
    text = script.script(made(build()), replace(TARGET, compiler=compiler), root="/r", jobs=1)
    assert "export CC=/usr/bin/gcc FC=/usr/bin/gfortran F77=/usr/bin/gfortran\n" in text
    assert "CXX=" not in text
