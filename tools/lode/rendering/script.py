"""The build script of a node: POSIX sh for every build system, a function of the locked node and nothing else.

The script runs in the environments that rattler-build has made ($PREFIX, $BUILD_PREFIX) on a staged source tree. It
depends on where the workspace lies and on the number of jobs; what it installs must depend on neither.
"""

from __future__ import annotations

import calendar
import re
import shlex
from collections.abc import Iterable, Sequence

from lode.definitions import variables
from lode.definitions.recipe import System
from lode.definitions.target import Target
from lode.locking.graph import LockedBuild, Node

_VARIABLES = variables.pattern((*variables.VARIABLES, "BUILD_PREFIX"))  # the last for the words of this module alone
# 2000-01-01, not the release's date: a node's bytes must not depend on the release that asks for it first
EPOCH = calendar.timegm((2000, 1, 1, 0, 0, 0))
STEP = "==> "  # what a line that names a step of the build begins with
_CMAKE = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DCMAKE_INSTALL_PREFIX=$PREFIX",
    "-DCMAKE_INSTALL_LIBDIR=lib",
    "-DCMAKE_PREFIX_PATH=$PREFIX;$BUILD_PREFIX",
    "-DCMAKE_INSTALL_RPATH=$PREFIX/lib",
    "-DCMAKE_BUILD_RPATH=$PREFIX/lib",
    "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF",
    "-DCMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY=OFF",
    "-DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON",
    "-DFETCHCONTENT_FULLY_DISCONNECTED=ON",
)
_MESON = (
    "--prefix=$PREFIX",
    "--libdir=lib",
    "--buildtype=release",
    "--wrap-mode=nofallback",
)
_PIP = "--no-deps --no-index --no-cache-dir --disable-pip-version-check"


def script(node: Node, target: Target, *, root: str, jobs: int) -> str:
    """Return the sh text that builds `node` in the workspace at `root` with `jobs` compilers at once."""
    build = node.build
    limit = min(jobs, build.jobs) if build.jobs else jobs
    parts = [
        _head(node, target, root, max(1, limit)),
        _compiler(target, build.system),
        *(f"export {name}={_word(value)}" for name, value in build.environment),
        _enter(build),
        _text("preparing", build.prepare),
        *_steps(node, target),
        _text("finishing", build.finish, enter=build),
        _tail(root),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _head(node: Node, target: Target, root: str, jobs: int) -> str:
    place = shlex.quote(root)
    return f"""\
#!/bin/sh
# {node.package} {node.version} on {target.name}
set -eu
umask 022
exec >>{place}/log 2>&1 </dev/null
SRC_DIR={place}/source
BUILD_DIR={place}/build
JOBS={jobs}
export SRC_DIR JOBS
if [ -x "$PREFIX/bin/python" ]; then export PYTHON="$PREFIX/bin/python"; else unset PYTHON; fi
export SOURCE_DATE_EPOCH={EPOCH} TZ=UTC LC_ALL=C.UTF-8 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1
export PKG_CONFIG_PATH="$PREFIX/lib/pkgconfig:$PREFIX/share/pkgconfig:$BUILD_PREFIX/lib/pkgconfig"
export CMAKE_BUILD_PARALLEL_LEVEL=$JOBS NPY_NUM_BUILD_JOBS=$JOBS MAX_JOBS=$JOBS
unset PIP_NO_BUILD_ISOLATION PIP_IGNORE_INSTALLED
export PIP_CONFIG_FILE=/dev/null PIP_ROOT_USER_ACTION=ignore
mkdir -p "$SRC_DIR" "$BUILD_DIR"
find "$PREFIX" ! -type d | LC_ALL=C sort >{place}/before"""


def _compiler(target: Target, system: System) -> str:
    """Return the exports that choose the OS compiler and make what it emits independent of the workspace."""
    compiler = target.compiler
    names = [f"CC={compiler.c}"]
    if "cxx" in compiler.languages:
        names.append(f"CXX={compiler.cxx}")
    if compiler.fortran:
        names.append(f"FC={compiler.fortran} F77={compiler.fortran}")
    flags = (
        f"-O2 -g0 -march={target.microarchitecture} -ffile-prefix-map=$SRC_DIR=/usr/src/$PKG_NAME"
        " -ffile-prefix-map=$BUILD_DIR=/usr/src/$PKG_NAME/build -ffile-prefix-map=$PREFIX=/usr"
    )
    lines = [
        f"export {' '.join(names)}",
        f'flags="{flags}"',
        'export CFLAGS="$flags" CXXFLAGS="$flags" FFLAGS="$flags" FCFLAGS="$flags"',
    ]
    if system is System.CMAKE:  # cmake writes run paths itself, and refuses to edit one that it did not write
        lines.append('export LDFLAGS="-Wl,--build-id=none -Wl,-rpath-link,$PREFIX/lib"')
    else:
        lines.append('export LDFLAGS="-Wl,--build-id=none -Wl,-rpath,$PREFIX/lib -L$PREFIX/lib"')
        lines.append('export CPPFLAGS="-I$PREFIX/include"')
    if system in (System.MAKE, System.SCRIPT, System.PYTHON):  # hand-written makefiles look at no flags
        lines.append('export CPATH="$PREFIX/include" LIBRARY_PATH="$PREFIX/lib"')
    return "\n".join(lines)


def _steps(node: Node, target: Target) -> list[str]:
    """Return the commands that configure, compile and install."""
    build = node.build
    args = [word for argument in build.args if target.name in argument.targets for word in argument.words]
    match build.system:
        case System.CMAKE:
            return _cmake(build, args)
        case System.AUTOTOOLS:
            return _autotools(build, args)
        case System.MESON:
            return _meson(build, args)
        case System.MAKE:
            return _make(build, args)
        case System.PYTHON:
            return [_pip_function(), *_python(args)]
        case System.WHEEL:
            wheels = [source.filename for source in node.sources if target.name in source.targets]
            return [_pip_function(), *_wheel(wheels, args)]
        case System.SCRIPT:
            return [_text("building", build.script)]
        case System.BUNDLE:
            return []


def _cmake(build: LockedBuild, args: Sequence[str]) -> list[str]:
    folder = '"$PWD"' if build.in_source else '"$BUILD_DIR"'
    targets = f" --target {_words(build.targets)}" if build.targets else ""
    return [
        _step("configuring"),
        f'cmake -S "$PWD" -B {folder} {_words([*_CMAKE, *args])}',
        _step("compiling"),
        f'cmake --build {folder} --parallel "$JOBS"{targets}',
        _step("installing"),
        *(
            f"cmake --install {folder}" if name == "install" else f"cmake --build {folder} --target {_word(name)}"
            for name in build.install_targets
        ),
    ]


def _autotools(build: LockedBuild, args: Sequence[str]) -> list[str]:
    words = _words(["--prefix=$PREFIX", "--libdir=$PREFIX/lib", *args])
    configure = f"./configure {words}"
    if not build.in_source:
        configure = f'configure=$PWD/configure\ncd "$BUILD_DIR"\n"$configure" {words}'
    return [
        _step("configuring"),
        configure,
        _step("compiling"),
        _join('make -j"$JOBS"', _words(build.targets)),
        _step("installing"),
        f"make {_words(build.install_targets)}",
    ]


def _meson(build: LockedBuild, args: Sequence[str]) -> list[str]:
    return [
        _step("configuring"),
        f'meson setup "$BUILD_DIR" "$PWD" {_words([*_MESON, *args])}',
        _step("compiling"),
        _join('ninja -C "$BUILD_DIR" -j "$JOBS"', _words(build.targets)),
        _step("installing"),
        f'ninja -C "$BUILD_DIR" -j "$JOBS" {_words(build.install_targets)}',
    ]


def _make(build: LockedBuild, args: Sequence[str]) -> list[str]:
    return [
        _step("compiling"),
        _join('make -j"$JOBS"', _words([*args, *build.targets])),
        _step("installing"),
        f"make {_words([*args, *build.install_targets])}",
    ]


def _python(args: Sequence[str]) -> list[str]:
    return [
        _step("compiling"),
        _join(f'pip wheel --verbose {_PIP} --no-build-isolation --wheel-dir "$BUILD_DIR/dist"', f"{_words(args)} ."),
        _step("installing"),
        f'pip install {_PIP} --no-compile --no-warn-script-location --prefix "$PREFIX" "$BUILD_DIR"/dist/*.whl',
    ]


def _wheel(wheels: Sequence[str], args: Sequence[str]) -> list[str]:
    files = _words([f"$SRC_DIR/{name}" for name in wheels])
    return [
        _step("installing"),
        _join(f'pip install {_PIP} --no-compile --no-warn-script-location --prefix "$PREFIX" {files}', _words(args)),
    ]


def _pip_function() -> str:
    """Return a shell function that runs pip: the installed one, else one that is in the source or came with Python."""
    return """\
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
}"""


def _tail(root: str) -> str:
    """Return the commands that make what was installed fit to be packed, moved and read-only.

    Libtool's archives name build folders, an info index belongs to nobody, and pip records where a wheel lay. Byte
    code is compiled with unchecked hashes (PEP 552), but not of files that name the prefix: these are rewritten when
    installed, and their byte code would then be stale.
    """
    place = shlex.quote(root)
    return f"""\
{_step("tidying")}
cd {place}
rm -f "$PREFIX/share/info/dir"
find "$PREFIX" ! -type d | LC_ALL=C sort | LC_ALL=C comm -13 before - >after
grep '/lib/[^/]*\\.la$' after | while IFS= read -r file; do rm -f "$file"; done
grep '\\.dist-info/direct_url\\.json$' after | while IFS= read -r file; do
  rm -f "$file"
  record=${{file%/*}}/RECORD
  grep -v '/direct_url\\.json,' "$record" >record.new || true
  cat record.new >"$record"
done
grep '/__pycache__/[^/]*\\.pyc$' after | while IFS= read -r file; do rm -f "$file"; done
if [ -x "$PREFIX/bin/python" ]; then
  grep '/lib/python[^/]*/.*\\.py$' after | while IFS= read -r file; do
    if [ -f "$file" ] && ! grep -qF "$PREFIX" "$file"; then printf '%s\\n' "$file"; fi
  done >compile
  if [ -s compile ]; then
    "$PREFIX/bin/python" -m compileall -q -f -j "$JOBS" -s "$PREFIX" -i compile --invalidation-mode unchecked-hash \\
      >uncompiled 2>&1 || grep 'Error:' uncompiled | sed 's/^/not compiled: /'
  fi
fi"""


def _enter(build: LockedBuild) -> str:
    return 'cd "$SRC_DIR"' + (f"/{_word(build.subdirectory)}" if build.subdirectory else "")


def _text(name: str, text: str, *, enter: LockedBuild | None = None) -> str:
    """Return a recipe's own shell text, traced in the log."""
    if not text.strip():
        return ""
    folder = f"{_enter(enter)}\n" if enter else ""
    return f"{_step(name)}\n{folder}set -x\n{text.rstrip()}\n{{ set +x; }} 2>/dev/null"


def _step(name: str) -> str:
    return f"echo '{STEP}{name}'"


def _join(*parts: str) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _words(words: Iterable[str]) -> str:
    return " ".join(_word(word) for word in words)


def _word(text: str) -> str:
    """Return `text` as one word of sh in which only the variables that recipes may name are replaced."""
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", text):
        return text
    parts: list[str] = []
    end = 0
    for match in _VARIABLES.finditer(text):
        parts += [_escaped(text[end : match.start()]), f"${{{match[1] or match[2]}}}"]
        end = match.end()
    return f'"{"".join([*parts, _escaped(text[end:])])}"'


def _escaped(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)
