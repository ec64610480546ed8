#!/bin/sh
# From the simulation through the data acquisition to the analysis, with the prefix alone; compile.sh ran before.
set -eu
events=20000
seed=20261101
here=$(cd "$(dirname "$0")" && pwd)

./daq_sink endpoint run.h5 &
sink=$!
trap 'kill $sink 2>/dev/null || true' EXIT
waited=0
until [ -f endpoint ]; do
    waited=$((waited + 1))
    if [ $waited -gt 200 ] || ! kill -0 $sink 2>/dev/null; then
        echo "the sink did not start" >&2
        exit 1
    fi
    sleep 0.1
done
./daq_source "$(cat endpoint)" $events $seed >source.log
wait $sink
trap - EXIT

python3 "$here/analyse.py" run.h5 $events
