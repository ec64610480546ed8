"""The build script of a node: POSIX sh for every build system, a function of the locked node and nothing else.

The script runs in the environments that rattler-build has made ($PREFIX, $BUILD_PREFIX) on a staged source tree. It
depends on where the workspace lies and on the number of jobs; what it installs must depend on neither.
"""

from __future__ import annotations

import calendar
import shlex

from lode.definitions.recipe import System
from lode.definitions.target import Target
from lode.locking.graph import LockedBuild, Node
from lode.rendering import steps

# 2000-01-01, not the release's date: a node's bytes must not depend on the release that asks for it first
EPOCH = calendar.timegm((2000, 1, 1, 0, 0, 0))
STEP = "==> "  # what a line that names a step of the build begins with


def script(node: Node, target: Target, *, root: str, jobs: int | None) -> str:
    """Return the sh text that builds `node` in the workspace at `root` with `jobs` compilers at once.

    Without `jobs`, whoever runs it says how many in $LODE_JOBS.
    """
    build = node.build
    parts = [
        _head(node, target, root, _jobs(build.jobs, jobs)),
        _compiler(target, build.system),
        *(f"export {name}={steps.word(value)}" for name, value in build.environment),
        steps.enter(build),
        _text("preparing", build.prepare),
        *_steps(node, target),
        _text("finishing", build.finish, enter=build),
        _tail(root),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _jobs(limit: int | None, jobs: int | None) -> str:
    if jobs is not None:
        return f"JOBS={max(1, min(jobs, limit) if limit else jobs)}"
    capped = f'\nif [ "$JOBS" -gt {limit} ]; then JOBS={limit}; fi' if limit else ""
    return f"JOBS=${{LODE_JOBS:-1}}{capped}"


def _head(node: Node, target: Target, root: str, jobs: str) -> str:
    place = shlex.quote(root)
    return f"""\
#!/bin/sh
# {node.package} {node.version} on {target.name}
set -eu
umask 022
exec >>{place}/log 2>&1 </dev/null
SRC_DIR={place}/source
BUILD_DIR={place}/build
{jobs}
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
    """Return the commands that configure, compile and install, each step under its name."""
    if node.build.system is System.SCRIPT:
        return [_text("building", node.build.script)]
    made = steps.commands(node, target.name)
    named = (("configuring", made.configure), ("compiling", made.compile), ("installing", made.install))
    lines = [made.functions]
    for name, commands in named:
        lines += [_step(name), *commands] if commands else []
    return lines


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


def _text(name: str, text: str, *, enter: LockedBuild | None = None) -> str:
    """Return a recipe's own shell text, traced in the log."""
    if not text.strip():
        return ""
    folder = f"{steps.enter(enter)}\n" if enter else ""
    return f"{_step(name)}\n{folder}set -x\n{text.rstrip()}\n{{ set +x; }} 2>/dev/null"


def _step(name: str) -> str:
    return f"echo '{STEP}{name}'"
