"""What builds a package of LCGCMake: one script of sh, told by variables where it and what it needs are."""

from __future__ import annotations

from lode.definitions.recipe import System
from lode.definitions.target import Target
from lode.locking.graph import Node
from lode.rendering import steps
from lode.rendering.quoting import shell

# LCGCMake says in $PREFIX and $SRC_DIR where the package is, in $LODE_NEEDS where all that it needs is; it runs this in
# the folder of the build
_HEAD = """\
set -eu
umask 022
export PREFIX SRC_DIR BUILD_DIR="$PWD"
export TZ=UTC LC_ALL=C.UTF-8 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1
export PIP_CONFIG_FILE=/dev/null PIP_ROOT_USER_ACTION=ignore
unset MAKEFLAGS MFLAGS MAKELEVEL
LDFLAGS="-Wl,-rpath,$PREFIX/lib"
before() {
  eval "export $1=\\"$2\\${$1:+:\\$$1}\\""
}
old_ifs=$IFS
IFS=:
for home in $LODE_NEEDS; do
  before PATH "$home/bin"
  before CMAKE_PREFIX_PATH "$home"
  before PKG_CONFIG_PATH "$home/share/pkgconfig"
  before PKG_CONFIG_PATH "$home/lib/pkgconfig"
  before CPATH "$home/include"
  before LIBRARY_PATH "$home/lib"
  before LD_LIBRARY_PATH "$home/lib"
  LDFLAGS="$LDFLAGS -Wl,-rpath,$home/lib"
  for site in "$home"/lib/python3*/site-packages; do
    if [ -d "$site" ]; then before PYTHONPATH "$site"; fi
  done
done
IFS=$old_ifs
if command -v python >/dev/null; then PYTHON=python; else PYTHON=python3; fi
export PYTHON LDFLAGS CPPFLAGS="${CPPFLAGS:-}"
"""


def script(node: Node, target: Target) -> str:
    """Return the text of the node's build.sh, without header."""
    build = node.build
    if build.system is System.BUNDLE:
        return 'set -eu\nmkdir -p "$PREFIX"\n'
    compiler = target.compiler
    limit = f'if [ "$JOBS" -gt {build.jobs} ]; then JOBS={build.jobs}; fi' if build.jobs else ""
    chosen = [f"CC={shell(compiler.c)}"]
    if "cxx" in compiler.languages:
        chosen.append(f"CXX={shell(compiler.cxx)}")
    if compiler.fortran:
        chosen.append(f"FC={shell(compiler.fortran)}")
    lines = [
        _HEAD.rstrip(),
        "JOBS=${JOBS:-$(nproc)}",
        limit,
        "export JOBS CMAKE_BUILD_PARALLEL_LEVEL=$JOBS NPY_NUM_BUILD_JOBS=$JOBS MAX_JOBS=$JOBS",
        f"export {' '.join(chosen)}",
        f'export CFLAGS="-O2 -march={target.microarchitecture}"',
        'export CXXFLAGS="$CFLAGS" FFLAGS="$CFLAGS"',
        *steps.body(node, target.name, apart=True),
    ]
    return "".join(f"{line}\n" for line in lines if line)
