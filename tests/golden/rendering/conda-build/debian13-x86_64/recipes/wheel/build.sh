#!/bin/bash
# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.
# wheel 1.0 on debian13-x86_64
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
JOBS=${CPU_COUNT:-1}
export JOBS
export CMAKE_BUILD_PARALLEL_LEVEL=$JOBS NPY_NUM_BUILD_JOBS=$JOBS MAX_JOBS=$JOBS
touch -d "-2 seconds" "$BUILD_DIR/lode-began"
rm -rf "$SRC_DIR/lode-sources"
cd "$SRC_DIR"
flags="-O2 -g0 -march=x86-64-v2 -ffile-prefix-map=$SRC_DIR=/usr/src/$PKG_NAME -ffile-prefix-map=$PREFIX=/usr"
export CFLAGS="${CFLAGS-} $flags" CXXFLAGS="${CXXFLAGS-} $flags" FFLAGS="${FFLAGS-} $flags"
export FCFLAGS="$FFLAGS" CPPFLAGS="${CPPFLAGS-}" LDFLAGS="${LDFLAGS-}"
cd "$SRC_DIR"
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
pip install --no-deps --no-index --no-cache-dir --disable-pip-version-check --no-compile --no-warn-script-location --prefix "$PREFIX" "${SRC_DIR}/wheel-1.0.tar.gz"
rm -f "$PREFIX/share/info/dir"
find "$PREFIX" -path "$PREFIX/conda-meta" -prune -o -name '*.la' -path '*/lib/*' -newer "$BUILD_DIR/lode-began" \
  -exec rm -f {} +
find "$PREFIX" -path "$PREFIX/conda-meta" -prune -o -name '*.pyc' -newer "$BUILD_DIR/lode-began" -exec rm -f {} +
