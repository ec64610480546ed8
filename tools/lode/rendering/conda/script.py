"""The build script of a node for rattler-build and conda-build: bash, as both run it, with the same steps as Lode's.

Compilers and their first flags come from the environment that was activated: conda-forge's, or the OS toolchain's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lode.definitions.recipe import Environment, System
from lode.definitions.target import Target
from lode.locking.graph import LockedBuild, Node
from lode.rendering.conda.recipe import STAGED, staged
from lode.rendering.quoting import comment, shell

_NAMES = "PREFIX|BUILD_PREFIX|SRC_DIR|JOBS|PYTHON|PATH|CC|CXX|FC|CFLAGS|CXXFLAGS|FFLAGS|CPPFLAGS|LDFLAGS"
_VARIABLES = re.compile(rf"\$(?:\{{({_NAMES})\}}|({_NAMES})\b)")
_CMAKE = (
    "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_INSTALL_PREFIX=$PREFIX", "-DCMAKE_INSTALL_LIBDIR=lib",
    "-DCMAKE_PREFIX_PATH=$PREFIX;$BUILD_PREFIX", "-DCMAKE_INSTALL_RPATH=$PREFIX/lib", "-DCMAKE_BUILD_RPATH=$PREFIX/lib",
    "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF", "-DCMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY=OFF",
    "-DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON", "-DFETCHCONTENT_FULLY_DISCONNECTED=ON",
)  # fmt: skip
_MESON = ("--prefix=$PREFIX", "--libdir=lib", "--buildtype=release", "--wrap-mode=nofallback")
_PIP = "--no-deps --no-index --no-cache-dir --disable-pip-version-check"
_INSTALL = f'pip install {_PIP} --no-compile --no-warn-script-location --prefix "$PREFIX"'
_HEAD = """\
set -eu
umask 022
BUILD_DIR=$SRC_DIR/../lode-build
mkdir -p "$BUILD_DIR"
BUILD_DIR=$(cd "$BUILD_DIR" && pwd)
if [ -x "$PREFIX/bin/python" ]; then export PYTHON="$PREFIX/bin/python"; else unset PYTHON; fi
export TZ=UTC LC_ALL=C.UTF-8 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1
export PKG_CONFIG_PATH="$PREFIX/lib/pkgconfig:$PREFIX/share/pkgconfig:$BUILD_PREFIX/lib/pkgconfig"
unset PIP_NO_BUILD_ISOLATION PIP_IGNORE_INSTALLED
export PIP_CONFIG_FILE=/dev/null PIP_ROOT_USER_ACTION=ignore
"""
_PIP_FUNCTION = """\
pip() {
  if "$PYTHON" -c 'import pip' 2>/dev/null; then
    "$PYTHON" -m pip "$@"
    return
  fi
  for wheel in "$SRC_DIR"/pip-*.whl "$PREFIX"/lib/python3*/ensurepip/_bundled/pip-*.whl; do
    if [ -f "$wheel" ]; then
      "$PYTHON" "$wheel/pip" "$@"
      return
    fi
  done
  echo "error: no pip: add a build dependency on it" >&2
  return 1
}
"""
_TIDY = """\
rm -f "$PREFIX/share/info/dir"
find "$PREFIX" -path "$PREFIX/conda-meta" -prune -o -name '*.la' -path '*/lib/*' -newer "$BUILD_DIR/lode-began" \\
  -exec rm -f {} +
find "$PREFIX" -path "$PREFIX/conda-meta" -prune -o -name '*.pyc' -newer "$BUILD_DIR/lode-began" -exec rm -f {} +
"""


def script(node: Node, target: Target) -> str:
    """Return the text of the node's build.sh, without header."""
    build = node.build
    limit = f'; [ "$JOBS" -le {build.jobs} ] || JOBS={build.jobs}' if build.jobs else ""
    jobs = "export CMAKE_BUILD_PARALLEL_LEVEL=$JOBS NPY_NUM_BUILD_JOBS=$JOBS MAX_JOBS=$JOBS"
    parts = [
        comment(f"{node.package} {node.version} on {target.name}").rstrip(),
        _HEAD.rstrip(),
        f'JOBS=${{CPU_COUNT:-1}}{limit}\nexport JOBS\n{jobs}\ntouch -d "-2 seconds" "$BUILD_DIR/lode-began"',
        *_sources(node, target.name),
        _flags(target, build.system),
        *(f"export {name}={_word(value)}" for name, value in build.environment),
        _enter(build),
        build.prepare.rstrip(),
        *_steps(node, target.name),
        f"{_enter(build)}\n{build.finish.rstrip()}" if build.finish.strip() else "",
        _TIDY.rstrip(),
        *_activation(node.package, node.environment),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _sources(node: Node, target: str) -> Iterator[str]:
    """Yield the lines that take folders of archives to their places, then apply the patches."""
    there = [source for source in node.sources if target in source.targets]
    for place, source in enumerate(there, 1):
        if source.subdirectory:
            folder = f'"$SRC_DIR"/{shell(source.directory)}' if source.directory else '"$SRC_DIR"'
            inside = shell(f"{staged(place)}/{source.subdirectory}")
            yield f'mkdir -p {folder}\ncp -a "$SRC_DIR"/{inside}/. {folder}/'
    for place, patch in enumerate((patch for patch in node.patches if target in patch.targets), 1):
        name = shell(f"{STAGED}/patch-{place}/{patch.file.rpartition('/')[2]}")
        yield f'patch -p{patch.strip} -d "$SRC_DIR" -i "$SRC_DIR"/{name}'
    yield f'rm -rf "$SRC_DIR/{STAGED}"\ncd "$SRC_DIR"'


def _flags(target: Target, system: System) -> str:
    lines = [
        f'flags="-O2 -g0 -march={target.microarchitecture} -ffile-prefix-map=$SRC_DIR=/usr/src/$PKG_NAME'
        ' -ffile-prefix-map=$PREFIX=/usr"',
        'export CFLAGS="${CFLAGS-} $flags" CXXFLAGS="${CXXFLAGS-} $flags" FFLAGS="${FFLAGS-} $flags"',
        'export FCFLAGS="$FFLAGS" CPPFLAGS="${CPPFLAGS-}" LDFLAGS="${LDFLAGS-}"',
    ]
    if system is System.CMAKE:  # cmake writes run paths itself, and refuses to edit one that it did not write
        lines.append("LDFLAGS=$(printf '%s' \" $LDFLAGS\" | sed 's/ -Wl,-rpath,[^ ]*//g')")
    if system in (System.MAKE, System.SCRIPT, System.PYTHON):  # hand-written makefiles look at no flags
        lines.append('export CPATH="$PREFIX/include" LIBRARY_PATH="$PREFIX/lib"')
    return "\n".join(lines)


def _steps(node: Node, target: str) -> list[str]:
    """Return the commands that configure, compile and install."""
    build = node.build
    args = [word for argument in build.args if target in argument.targets for word in argument.words]
    targets, installs = _words(build.targets), _words(build.install_targets)
    match build.system:
        case System.CMAKE:
            return _cmake(build, args)
        case System.AUTOTOOLS:
            words = _words(["--prefix=$PREFIX", "--libdir=$PREFIX/lib", *args])
            place = "" if build.in_source else 'configure=$PWD/configure\ncd "$BUILD_DIR"\n'
            configure = f"{place}{'./configure' if build.in_source else chr(34) + '$configure' + chr(34)} {words}"
            return [configure, f'make -j"$JOBS" {targets}'.rstrip(), f"make {installs}"]
        case System.MESON:
            ninja = 'ninja -C "$BUILD_DIR" -j "$JOBS"'
            setup = f'meson setup "$BUILD_DIR" "$PWD" {_words([*_MESON, *args])}'
            return [setup, f"{ninja} {targets}".rstrip(), f"{ninja} {installs}"]
        case System.MAKE:
            both = _words(args)
            return [_line('make -j"$JOBS"', both, targets), _line("make", both, installs)]
        case System.PYTHON:
            wheel = f'pip wheel --verbose {_PIP} --no-build-isolation --wheel-dir "$BUILD_DIR/dist"'
            return [_PIP_FUNCTION.rstrip(), _line(wheel, _words(args), "."), f'{_INSTALL} "$BUILD_DIR"/dist/*.whl']
        case System.WHEEL:
            files = [f"$SRC_DIR/{source.filename}" for source in node.sources if target in source.targets]
            return [_PIP_FUNCTION.rstrip(), _line(_INSTALL, _words(files), _words(args))]
        case System.SCRIPT:
            return [build.script.rstrip()]
        case System.BUNDLE:
            return []


def _cmake(build: LockedBuild, args: list[str]) -> list[str]:
    folder = '"$PWD"' if build.in_source else '"$BUILD_DIR"'
    targets = f" --target {_words(build.targets)}" if build.targets else ""
    installing = [
        f"cmake --install {folder}" if name == "install" else f"cmake --build {folder} --target {_word(name)}"
        for name in build.install_targets
    ]
    configure = f'cmake -S "$PWD" -B {folder} {_words([*_CMAKE, *args])}'
    return [configure, f'cmake --build {folder} --parallel "$JOBS"{targets}', *installing]


def _activation(package: str, environment: Environment) -> Iterator[str]:
    """Yield the command that writes what activation sets, if anything."""
    lines = [f'export {name}={_place(path)}"${{{name}:+:${name}}}"' for name, path in environment.prepend]
    lines += [f"export {name}={_place(path)}" for name, path in environment.set]
    lines += [f"export {name}={shell(text)}" for name, text in environment.value]
    if lines:
        folder = '"$PREFIX/etc/conda/activate.d"'
        yield f"mkdir -p {folder}\nprintf '%s\\n' {' '.join(map(shell, lines))} >{folder}/{package}.sh"


def _place(path: str) -> str:
    return shell(path) if path.startswith("/") else f'"$CONDA_PREFIX"/{shell(path)}'


def _enter(build: LockedBuild) -> str:
    return 'cd "$SRC_DIR"' + (f"/{_word(build.subdirectory)}" if build.subdirectory else "")


def _line(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _words(words: Iterable[str]) -> str:
    return " ".join(_word(word) for word in words)


def _word(text: str) -> str:
    """Return `text` as one word in which only the variables that recipes may name are replaced."""
    parts: list[str] = []
    end = 0
    for match in _VARIABLES.finditer(text):
        parts += [_quoted(text[end : match.start()]), f'"${{{match[1] or match[2]}}}"']
        end = match.end()
    parts.append(_quoted(text[end:]))
    return "".join(parts) or "''"


def _quoted(text: str) -> str:
    return shell(text) if text else ""
