#!/bin/sh
# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.
set -eu
umask 022
export PREFIX SRC_DIR BUILD_DIR="$PWD"
export TZ=UTC LC_ALL=C.UTF-8 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1
export PIP_CONFIG_FILE=/dev/null PIP_ROOT_USER_ACTION=ignore
unset MAKEFLAGS MFLAGS MAKELEVEL
LDFLAGS="-Wl,-rpath,$PREFIX/lib"
before() {
  eval "export $1=\"$2\${$1:+:\$$1}\""
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
JOBS=${JOBS:-$(nproc)}
export JOBS CMAKE_BUILD_PARALLEL_LEVEL=$JOBS NPY_NUM_BUILD_JOBS=$JOBS MAX_JOBS=$JOBS
export CC=/usr/bin/gcc CXX=/usr/bin/g++
export CFLAGS="-O2 -march=x86-64-v2"
export CXXFLAGS="$CFLAGS" FFLAGS="$CFLAGS"
cd "$SRC_DIR"
pip() {
  if "$PYTHON" -c 'import pip' 2>/dev/null; then
    "$PYTHON" -m pip "$@"
    return
  fi
  for wheel in "$SRC_DIR"/pip-*.whl "$("$PYTHON" -c 'import sys; print(sys.base_prefix)')"/lib/python3*/ensurepip/_bundled/pip-*.whl; do
    if [ -f "$wheel" ]; then
      "$PYTHON" "$wheel/pip" "$@"
      return
    fi
  done
  echo "error: no pip: add a build dependency on it" >&2
  return 1
}
pip wheel --verbose --no-deps --no-index --no-cache-dir --disable-pip-version-check --no-build-isolation --wheel-dir "$BUILD_DIR/dist" .
pip install --no-deps --no-index --no-cache-dir --disable-pip-version-check --no-compile --no-warn-script-location --prefix "$PREFIX" "$BUILD_DIR"/dist/*.whl
