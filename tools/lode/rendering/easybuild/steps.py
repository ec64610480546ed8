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
from lode.rendering.easybuild.words import plain
from lode.rendering.quoting import recipe_word, recipe_words
from lode.rendering.weakening import Weakening

_PIP = "--no-deps --no-index --no-cache-dir --disable-pip-version-check"
_CMAKE = ("-DCMAKE_INSTALL_LIBDIR=lib", "-DCMAKE_INSTALL_RPATH=$PREFIX/lib", "-DFETCHCONTENT_FULLY_DISCONNECTED=ON")


def within(template: str) -> str:
    """Return a template of EasyBuild as part of a word of sh; its value is a path or number of EasyBuild's own."""
    return f'"{template}"'


def steps(node: Node, target: Target, lost: set[Weakening]) -> dict[str, Any]:
    """Return the easyblock and its parameters."""
    build = node.build
    _say_lost(node, target.name, lost)
    if build.system is System.BUNDLE:
        return {"easyblock": "Bundle"}
    before = _before(node, target)
    args = [text for argument in build.args if target.name in argument.targets for text in argument.words]
    found: dict[str, Any] = {"maxparallel": build.jobs} if build.jobs else {}
    match build.system:
        case System.CMAKE:
            found |= _cmake(build, before, args)
        case System.AUTOTOOLS:
            found |= _autotools(build, before, args)
        case _:
            found |= _script(node, target.name, before, args)
    if build.finish.strip():
        found["postinstallcmds"] = [f"{before}{_enter(build)}{plain(build.finish)}"]
    return found


def _cmake(build: LockedBuild, before: str, args: Sequence[str]) -> dict[str, Any]:
    prepare = f"( {_enter(build)}{plain(build.prepare)}\n)\n" if build.prepare.strip() else ""
    found: dict[str, Any] = {
        "easyblock": "CMakeMake",
        "separate_build_dir": not build.in_source,
        "preconfigopts": f"{before}{prepare}",
        "configopts": plain(recipe_words([*_CMAKE, *args])),
        "prebuildopts": before,
        "buildopts": plain(recipe_words(build.targets)),
        "preinstallopts": before,
        "install_cmd": plain(f"make {recipe_words(build.install_targets)}"),
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
            "configopts": plain(recipe_words(["--libdir=$PREFIX/lib", *args])),
            "prebuildopts": f"{before}{enter}",
            "buildopts": plain(recipe_words(build.targets)),
            "preinstallopts": f"{before}{enter}",
            "install_cmd": plain(f"make {recipe_words(build.install_targets)}"),
        }
    )


def _script(node: Node, target: str, before: str, args: Sequence[str]) -> dict[str, Any]:
    """Return one command for the whole build."""
    build = node.build
    made = recipe_words(args)
    match build.system:
        case System.MESON:
            text = (
                f'meson setup .lode-build . --prefix="$PREFIX" --libdir=lib --buildtype=release '
                f'--wrap-mode=nofallback {made}\nninja -C .lode-build -j "$JOBS" {recipe_words(build.targets)}\n'
                f"ninja -C .lode-build {recipe_words(build.install_targets)}\n"
            )
        case System.MAKE:
            made, installed = recipe_words([*args, *build.targets]), recipe_words([*args, *build.install_targets])
            text = f'make -j"$JOBS" {made}\nmake {installed}\n'
        case System.PYTHON:
            text = (
                f'"$PYTHON" -m pip wheel {_PIP} --no-build-isolation --wheel-dir .lode-dist {made} .\n'
                f'"$PYTHON" -m pip install {_PIP} --prefix "$PREFIX" .lode-dist/*.whl\n'
            )
        case System.WHEEL:
            wheels = [f"$SRC_DIR/{source.filename}" for source in node.sources if target in source.targets]
            text = f'"$PYTHON" -m pip install {_PIP} --prefix "$PREFIX" {recipe_words(wheels)} {made}\n'
        case _:
            text = build.script
    prepare = f"{build.prepare.rstrip()}\n" if build.prepare.strip() else ""
    return {
        "easyblock": "Binary",
        "extract_sources": True,
        "prepend_to_path": [],
        "install_cmd": f"{before}{_enter(build)}{plain(prepare)}{plain(text)}",
    }


def _before(node: Node, target: Target) -> str:
    """Return the commands that set what a recipe's texts may name."""
    compiler = target.compiler
    lines = [
        "set -eu",
        f"export PREFIX={within('%(installdir)s')} SRC_DIR={within('%(start_dir)s')} JOBS={within('%(parallel)s')}",
        f"export PYTHON=python CC={plain(recipe_word(compiler.c))}",
    ]
    if "cxx" in compiler.languages:
        lines.append(f"export CXX={plain(recipe_word(compiler.cxx))}")
    if compiler.fortran:
        lines.append(f"export FC={plain(recipe_word(compiler.fortran))}")
    flags = f"-O2 -march={target.microarchitecture}"
    lines.append(f"export CFLAGS={plain(recipe_word(flags))} CXXFLAGS={plain(recipe_word(flags))}")
    lines.append('export CPPFLAGS="${CPPFLAGS:-}" LDFLAGS="-Wl,-rpath,$PREFIX/lib ${LDFLAGS:-}"')
    lines += [f"export {name}={plain(recipe_word(value))}" for name, value in node.build.environment]
    return "".join(f"{line}\n" for line in lines)


def _enter(build: LockedBuild) -> str:
    below = f"/{plain(recipe_word(build.subdirectory))}" if build.subdirectory else ""
    return f'cd "$SRC_DIR"{below}\n'


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
