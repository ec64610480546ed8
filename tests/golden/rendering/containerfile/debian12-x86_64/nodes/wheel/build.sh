#!/bin/sh
# wheel 1.0 on debian12-x86_64
set -eu
umask 022
exec >>/lode/build/log 2>&1 </dev/null
SRC_DIR=/lode/build/source
BUILD_DIR=/lode/build/build
JOBS=${LODE_JOBS:-1}
export SRC_DIR JOBS
if [ -x "$PREFIX/bin/python" ]; then export PYTHON="$PREFIX/bin/python"; else unset PYTHON; fi
export SOURCE_DATE_EPOCH=946684800 TZ=UTC LC_ALL=C.UTF-8 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1
export PKG_CONFIG_PATH="$PREFIX/lib/pkgconfig:$PREFIX/share/pkgconfig:$BUILD_PREFIX/lib/pkgconfig"
export CMAKE_BUILD_PARALLEL_LEVEL=$JOBS NPY_NUM_BUILD_JOBS=$JOBS MAX_JOBS=$JOBS
unset PIP_NO_BUILD_ISOLATION PIP_IGNORE_INSTALLED
export PIP_CONFIG_FILE=/dev/null PIP_ROOT_USER_ACTION=ignore
mkdir -p "$SRC_DIR" "$BUILD_DIR"
find "$PREFIX" ! -type d | LC_ALL=C sort >/lode/build/before
export CC=/usr/bin/gcc CXX=/usr/bin/g++
flags="-O2 -g0 -march=x86-64-v2 -ffile-prefix-map=$SRC_DIR=/usr/src/$PKG_NAME -ffile-prefix-map=$BUILD_DIR=/usr/src/$PKG_NAME/build -ffile-prefix-map=$PREFIX=/usr"
export CFLAGS="$flags" CXXFLAGS="$flags" FFLAGS="$flags" FCFLAGS="$flags"
export LDFLAGS="-Wl,--build-id=none -Wl,-rpath,$PREFIX/lib -L$PREFIX/lib"
export CPPFLAGS="-I$PREFIX/include"
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
echo '==> installing'
pip install --no-deps --no-index --no-cache-dir --disable-pip-version-check --no-compile --no-warn-script-location --prefix "$PREFIX" "${SRC_DIR}/wheel-1.0.tar.gz" "${SRC_DIR}/wheel-1.0.tar.gz"
echo '==> tidying'
cd /lode/build
rm -f "$PREFIX/share/info/dir"
find "$PREFIX" ! -type d | LC_ALL=C sort | LC_ALL=C comm -13 before - >after
grep '/lib/[^/]*\.la$' after | while IFS= read -r file; do rm -f "$file"; done
grep '\.dist-info/direct_url\.json$' after | while IFS= read -r file; do
  rm -f "$file"
  record=${file%/*}/RECORD
  grep -v '/direct_url\.json,' "$record" >record.new || true
  cat record.new >"$record"
done
grep '/__pycache__/[^/]*\.pyc$' after | while IFS= read -r file; do rm -f "$file"; done
if [ -x "$PREFIX/bin/python" ]; then
  grep '/lib/python[^/]*/.*\.py$' after | while IFS= read -r file; do
    if [ -f "$file" ] && ! grep -qF "$PREFIX" "$file"; then printf '%s\n' "$file"; fi
  done >compile
  if [ -s compile ]; then
    "$PREFIX/bin/python" -m compileall -q -f -j "$JOBS" -s "$PREFIX" -i compile --invalidation-mode unchecked-hash \
      >uncompiled 2>&1 || grep 'Error:' uncompiled | sed 's/^/not compiled: /'
  fi
fi
