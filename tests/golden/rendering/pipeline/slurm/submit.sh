#!/bin/sh
# Rendered by lode (form 1) from the lock of dance@2026.11.
# Lock: sha256:bdf57846cdb9902025e4ed73b2bffb528ef44a3f81d80c9a3d516c9503bcb9b1
# Jobs within 4 minutes, 12 GB, 1 cores.
# Change the stack, or call `lode ci render` with other limits; what is written here is lost then.
# Words given to this program go to sbatch: --partition, --account and the like.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${LODE_REPOSITORY:?names the folder of the repository with the stack}"
export LODE_REPOSITORY
before=
# check
before=$(sbatch --parsable --kill-on-invalid-dep=yes ${before:+--dependency=afterok:$before} \
    --job-name=dance-01 --array=0-0 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-01")
before=${before%%;*}
echo "level 1: job $before"
# build-debian12-x86_64-01, build-el9-x86_64-01
before=$(sbatch --parsable --kill-on-invalid-dep=yes ${before:+--dependency=afterok:$before} \
    --job-name=dance-02 --array=0-1 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-02")
before=${before%%;*}
echo "level 2: job $before"
# build-debian12-x86_64-02, build-el9-x86_64-02
before=$(sbatch --parsable --kill-on-invalid-dep=yes ${before:+--dependency=afterok:$before} \
    --job-name=dance-03 --array=0-1 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-03")
before=${before%%;*}
echo "level 3: job $before"
# test-debian12-x86_64, test-el9-x86_64
before=$(sbatch --parsable --kill-on-invalid-dep=yes ${before:+--dependency=afterok:$before} \
    --job-name=dance-04 --array=0-1 \
    --cpus-per-task=1 --mem=4000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-04")
before=${before%%;*}
echo "level 4: job $before"
# publish
before=$(sbatch --parsable --kill-on-invalid-dep=yes ${before:+--dependency=afterok:$before} \
    --job-name=dance-05 --array=0-0 \
    --cpus-per-task=1 --mem=4000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-05")
before=${before%%;*}
echo "level 5: job $before"
