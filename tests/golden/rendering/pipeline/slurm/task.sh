#!/bin/sh
# Rendered by lode (form 1) from the lock of dance@2026.11.
# Lock: sha256:bdf57846cdb9902025e4ed73b2bffb528ef44a3f81d80c9a3d516c9503bcb9b1
# Jobs within 4 minutes, 12 GB, 1 cores.
# Change the stack, or call `lode ci render` with other limits; what is written here is lost then.
set -u
status=0
"$1/$SLURM_ARRAY_TASK_ID.sh" || status=$?
if [ "$status" -eq 12 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ]; then
    echo "its time was over: back into the queue"
    scontrol requeue "$SLURM_JOB_ID" && sleep 60
fi
exit "$status"
