#!/bin/bash
# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.
# nest 2.4.1 on debian13-x86_64
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
patch="$SRC_DIR"/lode-sources/patch-1
if [ -d "$patch" ]; then patch=$patch/a.patch; fi
patch -p1 -d "$SRC_DIR" -i "$patch"
rm -rf "$SRC_DIR/lode-sources"
cd "$SRC_DIR"
flags="-O2 -g0 -march=x86-64-v2 -ffile-prefix-map=$SRC_DIR=/usr/src/$PKG_NAME -ffile-prefix-map=$PREFIX=/usr"
export CFLAGS="${CFLAGS-} $flags" CXXFLAGS="${CXXFLAGS-} $flags" FFLAGS="${FFLAGS-} $flags"
export FCFLAGS="$FFLAGS" CPPFLAGS="${CPPFLAGS-}" LDFLAGS="${LDFLAGS-}"
LDFLAGS=$(printf '%s' " $LDFLAGS" | sed 's/ -Wl,-rpath,[^ ]*//g')
cd "$SRC_DIR"
cmake -S "$PWD" -B "$BUILD_DIR" -DCMAKE_BUILD_TYPE=Release "-DCMAKE_INSTALL_PREFIX=${PREFIX}" -DCMAKE_INSTALL_LIBDIR=lib "-DCMAKE_PREFIX_PATH=${PREFIX};${BUILD_PREFIX}" "-DCMAKE_INSTALL_RPATH=${PREFIX}/lib" "-DCMAKE_BUILD_RPATH=${PREFIX}/lib" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF -DCMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY=OFF -DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DNEST_GDML=ON
cmake --build "$BUILD_DIR" --parallel "$JOBS"
cmake --install "$BUILD_DIR"
rm -f "$PREFIX/share/info/dir"
find "$PREFIX" -path "$PREFIX/conda-meta" -prune -o -name '*.la' -path '*/lib/*' -newer "$BUILD_DIR/lode-began" \
  -exec rm -f {} +
find "$PREFIX" -path "$PREFIX/conda-meta" -prune -o -name '*.pyc' -newer "$BUILD_DIR/lode-began" -exec rm -f {} +
mkdir -p "$PREFIX/etc/conda/activate.d"
printf '%s\n' 'export NEST_PATH="$CONDA_PREFIX"/share"${NEST_PATH:+:$NEST_PATH}"' 'export NEST="$CONDA_PREFIX"/.' 'export NEST_UNIT=keV' >"$PREFIX/etc/conda/activate.d"/nest.sh
