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
rm -f "$here"/level-*/.ended-*
level=
# check
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes ${level:+--dependency=afterok:$level} \
    --job-name=dance-01 --array=0-0 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-01")
last=${last%%;*}
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-01 --array=0-0 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-01")
last=${last%%;*}
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-01 --array=0-0 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-01")
last=${last%%;*}
level=$last
echo "level 1: job $level"
# build-debian12-x86_64-01, build-el9-x86_64-01
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes ${level:+--dependency=afterok:$level} \
    --job-name=dance-02 --array=0-1 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-02")
last=${last%%;*}
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-02 --array=0-1 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-02")
last=${last%%;*}
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-02 --array=0-1 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-02")
last=${last%%;*}
level=$last
echo "level 2: job $level"
# build-debian12-x86_64-02, build-el9-x86_64-02
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes ${level:+--dependency=afterok:$level} \
    --job-name=dance-03 --array=0-1 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-03")
last=${last%%;*}
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-03 --array=0-1 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-03")
last=${last%%;*}
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-03 --array=0-1 \
    --cpus-per-task=1 --mem=2000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-03")
last=${last%%;*}
level=$last
echo "level 3: job $level"
# test-debian12-x86_64, test-el9-x86_64
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes ${level:+--dependency=afterok:$level} \
    --job-name=dance-04 --array=0-1 \
    --cpus-per-task=1 --mem=4000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-04")
last=${last%%;*}
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-04 --array=0-1 \
    --cpus-per-task=1 --mem=4000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-04")
last=${last%%;*}
last=$(env -u LODE_KEY_PASSWORD -u LODE_CVMFS_PASSPHRASE sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-04 --array=0-1 \
    --cpus-per-task=1 --mem=4000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-04")
last=${last%%;*}
level=$last
echo "level 4: job $level"
# publish
last=$(sbatch --parsable --kill-on-invalid-dep=yes ${level:+--dependency=afterok:$level} \
    --job-name=dance-05 --array=0-0 \
    --cpus-per-task=1 --mem=4000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-05")
last=${last%%;*}
last=$(sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-05 --array=0-0 \
    --cpus-per-task=1 --mem=4000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-05")
last=${last%%;*}
last=$(sbatch --parsable --kill-on-invalid-dep=yes --dependency=${level:+afterok:$level,}afterany:$last \
    --job-name=dance-05 --array=0-0 \
    --cpus-per-task=1 --mem=4000M --time=34 --requeue \
    --open-mode=append --output="$here/logs/%x-%a.out" \
    "$@" "$here/task.sh" "$here/level-05")
last=${last%%;*}
level=$last
echo "level 5: job $level"
