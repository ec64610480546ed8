#!/bin/sh
# Rendered by lode (form 1) from the lock of dance@2026.11.
# Lock: sha256:bdf57846cdb9902025e4ed73b2bffb528ef44a3f81d80c9a3d516c9503bcb9b1
# Jobs within 4 minutes, 12 GB, 1 cores.
# Change the stack, or call `lode ci render` with other limits; what is written here is lost then.
set -u
ended="$1/.ended-$SLURM_ARRAY_TASK_ID" # holds the status of an earlier attempt that is not to be repeated
[ ! -e "$ended" ] || exit "$(cat "$ended")"
status=0
"$1/$SLURM_ARRAY_TASK_ID.sh" || status=$?
if [ "$status" -eq 12 ]; then
    echo "its time was over: the next attempt goes on"
elif [ "$status" -gt 128 ]; then
    echo "it was ended by a signal: the next attempt goes on"
else
    echo "$status" >"$ended"
fi
exit "$status"
