"""The build of a node in the words of EasyBuild's generic easyblocks.

CMake and autotools have easyblocks that say the same; all else is a script, run by the easyblock Binary. A recipe's
variables are set in front of each command, and its own texts run in the folder that they expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lode.definitions.recipe import Kind, System
from lode.definitions.target import Target
from lode.locking.graph import LockedBuild, Node
from lode.rendering import steps
from lode.rendering.easybuild.words import plain
from lode.rendering.weakening import Weakening


def within(template: str) -> str:
    """Return a template of EasyBuild as part of a word of sh; its value is a path or number of EasyBuild's own."""
    return f'"{template}"'


def block(node: Node, target: Target, lost: set[Weakening]) -> dict[str, Any]:
    """Return the easyblock and its parameters."""
    build = node.build
    _say_lost(node, target.name, lost)
    if build.system is System.BUNDLE:
        return {"easyblock": "Bundle"}
    before = _before(node, target)
    args = steps.arguments(node, target.name)
    found: dict[str, Any] = {"maxparallel": build.jobs} if build.jobs else {}
    match build.system:
        case System.CMAKE:
            found |= _cmake(build, before, args)
        case System.AUTOTOOLS:
            found |= _autotools(build, before, args)
        case _:
            found |= _script(node, target.name, before)
    if build.finish.strip():
        found["postinstallcmds"] = [f"{before}{_enter(build)}{plain(build.finish)}"]
    return found


def _cmake(build: LockedBuild, before: str, args: Sequence[str]) -> dict[str, Any]:
    prepare = f"( {_enter(build)}{plain(build.prepare)}\n)\n" if build.prepare.strip() else ""
    found: dict[str, Any] = {
        "easyblock": "CMakeMake",
        "separate_build_dir": not build.in_source,
        "preconfigopts": f"{before}{prepare}",
        "configopts": plain(steps.words([steps.CMAKE_LIBRARIES, *steps.CMAKE_RULES, *args])),
        "prebuildopts": before,
        "buildopts": plain(steps.words(build.targets)),
        "preinstallopts": before,
        "install_cmd": plain(f"make {steps.words(build.install_targets)}"),
    }
    if build.subdirectory:
        found["srcdir"] = plain(build.subdirectory)
    return _filled(found)


def _autotools(build: LockedBuild, before: str, args: Sequence[str]) -> dict[str, Any]:
    enter = _enter(build)
    prepare = f"{plain(build.prepare)}\n" if build.prepare.strip() else ""
    return _filled(
        {
            "easyblock": "ConfigureMake",
            "preconfigopts": f"{before}{enter}{prepare}",
            "configopts": plain(steps.words(["--libdir=$PREFIX/lib", *args])),
            "prebuildopts": f"{before}{enter}",
            "buildopts": plain(steps.words(build.targets)),
            "preinstallopts": f"{before}{enter}",
            "install_cmd": plain(f"make {steps.words(build.install_targets)}"),
        }
    )


def _script(node: Node, target: str, before: str) -> dict[str, Any]:
    """Return one command for the whole build."""
    build = node.build
    lines = [build.prepare.rstrip(), *steps.commands(node, target, apart=True).lines()]
    text = "".join(f"{line}\n" for line in lines if line)
    return {
        "easyblock": "Binary",
        "extract_sources": True,
        "prepend_to_path": [],
        "install_cmd": f"{before}{_enter(build)}{plain(text)}",
    }


def _before(node: Node, target: Target) -> str:
    """Return the commands that set what a recipe's texts may name."""
    compiler = target.compiler
    lines = [
        "set -eu",
        f"export PREFIX={within('%(installdir)s')} SRC_DIR={within('%(start_dir)s')} JOBS={within('%(parallel)s')}",
        f"export PYTHON=python CC={plain(steps.word(compiler.c))}",
    ]
    if "cxx" in compiler.languages:
        lines.append(f"export CXX={plain(steps.word(compiler.cxx))}")
    if compiler.fortran:
        lines.append(f"export FC={plain(steps.word(compiler.fortran))}")
    flags = f"-O2 -march={target.microarchitecture}"
    lines.append(f"export CFLAGS={plain(steps.word(flags))}")
    lines.append('export CXXFLAGS="$CFLAGS" FFLAGS="$CFLAGS"')
    lines.append(f"export BUILD_DIR={within('%(builddir)s/lode-build')}")
    lines.append('mkdir -p "$BUILD_DIR"')
    lines.append('export CPPFLAGS="${CPPFLAGS:-}" LDFLAGS="-Wl,-rpath,$PREFIX/lib ${LDFLAGS:-}"')
    lines += [f"export {name}={plain(steps.word(value))}" for name, value in node.build.environment]
    return "".join(f"{line}\n" for line in lines)


def _enter(build: LockedBuild) -> str:
    return f"{plain(steps.enter(build))}\n"


def _filled(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value != ""}


def _say_lost(node: Node, target: str, lost: set[Weakening]) -> None:
    build = node.build
    arguments = [text for argument in build.args for text in argument.words]
    texts = [*arguments, *(value for _, value in build.environment), build.prepare, build.script, build.finish]
    linked = any(Kind.LINK in edge.kinds and target in edge.targets for edge in node.edges)
    said = []
    if linked and any("PREFIX" in text for text in texts):
        said.append("$PREFIX is the package's own folder in its build, without what it depends on")
    if build.system is System.AUTOTOOLS and not build.in_source:
        said.append("it is configured in the folder of its source, not beside it")
    if build.memory_mb:
        said.append(f"that a compiler takes {build.memory_mb} MB is not said")
    lost |= {Weakening(package=node.package, what=what) for what in said}
