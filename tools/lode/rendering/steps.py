"""What each build system runs to configure, compile and install a node: commands of sh, the same wherever they run.

They name variables that whatever runs them has set: $PREFIX (install here), $SRC_DIR (root of the source), $BUILD_DIR
(a folder outside it), $JOBS (how many at once), $PYTHON, and the compilers and flags that recipes may name. The
builder, rattler-build, EasyBuild, Guix, LCGCMake and container files all take them from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lode.definitions import variables
from lode.definitions.recipe import System
from lode.locking.graph import LockedBuild, Node

_VARIABLES = variables.pattern((*variables.VARIABLES, "BUILD_PREFIX"))  # the last for the words of this module alone
CMAKE_PLACES = ("-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_INSTALL_PREFIX=$PREFIX")
CMAKE_RULES = (
    "-DCMAKE_INSTALL_RPATH=$PREFIX/lib",
    "-DCMAKE_BUILD_RPATH=$PREFIX/lib",
    "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF",
    "-DCMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY=OFF",
    "-DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON",
    "-DFETCHCONTENT_FULLY_DISCONNECTED=ON",
)
CMAKE_LIBRARIES = "-DCMAKE_INSTALL_LIBDIR=lib"
_MESON = (
    "--prefix=$PREFIX",
    "--libdir=lib",
    "--buildtype=release",
    "--wrap-mode=nofallback",
)
_PIP = "--no-deps --no-index --no-cache-dir --disable-pip-version-check"
_PIP_INSTALL = f'pip install {_PIP} --no-compile --no-warn-script-location --prefix "$PREFIX"'
# what is found where: all packages in one folder, or each in its own and its environment says where
_TOGETHER = ("-DCMAKE_PREFIX_PATH=$PREFIX;$BUILD_PREFIX",)
_PYTHON_TOGETHER = '"$PREFIX"'
_PYTHON_APART = """"$("$PYTHON" -c 'import sys; print(sys.base_prefix)')\""""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """The commands of a build, to be run in one shell from the folder that `enter` goes to; a step may be empty."""

    functions: str = ""  # shell functions that they call
    configure: tuple[str, ...] = ()
    compile: tuple[str, ...] = ()
    install: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return all of them in order."""
        return (*((self.functions,) if self.functions else ()), *self.configure, *self.compile, *self.install)


def commands(node: Node, target: str, *, apart: bool = False) -> Commands:
    """Return the commands that build `node` on `target`; for system "script", the recipe's own text to compile.

    `apart` says that what the node needs lies in folders of its own, which the environment names, not below $PREFIX.
    """
    build = node.build
    args = arguments(node, target)
    pip = _pip(_PYTHON_APART if apart else _PYTHON_TOGETHER)
    match build.system:
        case System.CMAKE:
            return _cmake(build, args, () if apart else _TOGETHER)
        case System.AUTOTOOLS:
            return _autotools(build, args)
        case System.MESON:
            return _meson(build, args)
        case System.MAKE:
            return Commands(
                compile=(_line('make -j"$JOBS"', words([*args, *build.targets])),),
                install=(f"make {words([*args, *build.install_targets])}",),
            )
        case System.PYTHON:
            wheel = f'pip wheel --verbose {_PIP} --no-build-isolation --wheel-dir "$BUILD_DIR/dist"'
            return Commands(
                functions=pip,
                compile=(_line(wheel, f"{words(args)} ."),),
                install=(f'{_PIP_INSTALL} "$BUILD_DIR"/dist/*.whl',),
            )
        case System.WHEEL:
            wheels = words(f"$SRC_DIR/{source.filename}" for source in node.sources if target in source.targets)
            return Commands(functions=pip, install=(_line(f"{_PIP_INSTALL} {wheels}", words(args)),))
        case System.SCRIPT:
            return Commands(compile=(build.script.rstrip(),) if build.script.strip() else ())
        case System.BUNDLE:
            return Commands()


def body(node: Node, target: str, *, apart: bool = False) -> tuple[str, ...]:
    """Return all that a recipe says of the build of `node` on `target`, as lines of one shell; see `commands`."""
    build = node.build
    lines = [
        *(f"export {name}={word(value)}" for name, value in build.environment),
        enter(build),
        build.prepare.rstrip(),
        *commands(node, target, apart=apart).lines(),
        *((enter(build), build.finish.rstrip()) if build.finish.strip() else ()),
    ]
    return tuple(line for line in lines if line)


def arguments(node: Node, target: str) -> tuple[str, ...]:
    """Return the words that the configure step of `node` on `target` is given."""
    return tuple(word for argument in node.build.args if target in argument.targets for word in argument.words)


def enter(build: LockedBuild) -> str:
    """Return the command that goes where the build begins."""
    return 'cd "$SRC_DIR"' + (f"/{word(build.subdirectory)}" if build.subdirectory else "")


def words(texts: Iterable[str]) -> str:
    """Return `texts` as words of sh, each as `word` gives it."""
    return " ".join(word(text) for text in texts)


@lru_cache(maxsize=65536)
def word(text: str) -> str:
    """Return `text` as one word of sh in which only the variables that recipes may name are replaced."""
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", text):
        return text
    parts: list[str] = []
    end = 0
    for match in _VARIABLES.finditer(text):
        parts += [_escaped(text[end : match.start()]), f"${{{match[1] or match[2]}}}"]
        end = match.end()
    return f'"{"".join([*parts, _escaped(text[end:])])}"'


def _cmake(build: LockedBuild, args: Sequence[str], found: Sequence[str]) -> Commands:
    folder = '"$PWD"' if build.in_source else '"$BUILD_DIR"'
    targets = f" --target {words(build.targets)}" if build.targets else ""
    return Commands(
        configure=(
            f'cmake -S "$PWD" -B {folder} {words([*CMAKE_PLACES, CMAKE_LIBRARIES, *found, *CMAKE_RULES, *args])}',
        ),
        compile=(f'cmake --build {folder} --parallel "$JOBS"{targets}',),
        install=tuple(
            f"cmake --install {folder}" if name == "install" else f"cmake --build {folder} --target {word(name)}"
            for name in build.install_targets
        ),
    )


def _autotools(build: LockedBuild, args: Sequence[str]) -> Commands:
    texts = words(["--prefix=$PREFIX", "--libdir=$PREFIX/lib", *args])
    configure = f"./configure {texts}"
    if not build.in_source:
        configure = f'configure=$PWD/configure\ncd "$BUILD_DIR"\n"$configure" {texts}'
    return Commands(
        configure=(configure,),
        compile=(_line('make -j"$JOBS"', words(build.targets)),),
        install=(f"make {words(build.install_targets)}",),
    )


def _meson(build: LockedBuild, args: Sequence[str]) -> Commands:
    return Commands(
        configure=(f'meson setup "$BUILD_DIR" "$PWD" {words([*_MESON, *args])}',),
        compile=(_line('ninja -C "$BUILD_DIR" -j "$JOBS"', words(build.targets)),),
        install=(f'ninja -C "$BUILD_DIR" -j "$JOBS" {words(build.install_targets)}',),
    )


def _pip(home: str) -> str:
    """Return a shell function that runs pip: the installed one, else one that is in the source or came with Python."""
    return f"""\
pip() {{
  if "$PYTHON" -c 'import pip' 2>/dev/null; then
    "$PYTHON" -m pip "$@"
    return
  fi
  for wheel in "$SRC_DIR"/pip-*.whl {home}/lib/python3*/ensurepip/_bundled/pip-*.whl; do
    if [ -f "$wheel" ]; then
      "$PYTHON" "$wheel/pip" "$@"
      return
    fi
  done
  echo "error: no pip: add a build dependency on it" >&2
  return 1
}}"""


def _line(*parts: str) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _escaped(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)
