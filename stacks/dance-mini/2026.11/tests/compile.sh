#!/bin/sh
# The two programs of the data acquisition, with the prefix and the OS compiler alone.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${CXX:=g++}"

compile() {
    output=$1
    shift
    "$CXX" -std=c++17 -O1 -Wall -o "$output" "$here/$output.cpp" -I"$PREFIX/include" "$@" \
        -L"$PREFIX/lib" -Wl,-rpath,"$PREFIX/lib" -lzmq
}
compile daq_source -I"$PREFIX/include/NEST" -I"$PREFIX/include/Detectors" -lNESTCore
compile daq_sink -lhdf5 -lzstd
