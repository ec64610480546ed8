"""The build script of a node for rattler-build and conda-build: bash, as both run it, with the same steps as Lode's.

Compilers and their first flags come from the environment that was activated: conda-forge's, or the OS toolchain's.
"""

from __future__ import annotations

from collections.abc import Iterator

from lode.definitions.recipe import Environment, System
from lode.definitions.target import Target
from lode.locking.graph import Node
from lode.rendering import steps
from lode.rendering.conda.recipe import STAGED, staged
from lode.rendering.quoting import comment, shell

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
        *steps.body(node, target.name),
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
        # rattler-build puts the file into the folder that it is given, conda-build makes it that folder
        yield f'patch="$SRC_DIR"/{STAGED}/patch-{place}'
        yield f'if [ -d "$patch" ]; then patch=$patch/{shell(patch.file.rpartition("/")[2])}; fi'
        yield f'patch -p{patch.strip} -d "$SRC_DIR" -i "$patch"'
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
