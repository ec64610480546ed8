"""A pipeline as job arrays of Slurm (https://slurm.schedmd.com/job_array.html): one for each level of the graph.

`submit.sh` hands all arrays in at once; each waits for those before it. A level has several attempts, one after the
other: `task.sh` runs a program of it again when its time was over before it was done, or a signal ended it (as when the
machine is short of memory), and passes over one that has ended. (A job that puts itself back into the queue looks
failed for a moment, and Slurm would drop what waits for it.)
"""

from __future__ import annotations

from pathlib import PurePosixPath

from lode.rendering.pipeline import Job, Pipeline, Site
from lode.rendering.pipeline.head import head
from lode.rendering.pipeline.words import SECRETS, UNFINISHED, script
from lode.tree import FileTree

ATTEMPTS = 3
_GRACE_MINUTES = 30  # for a node that runs when the job's own limit is reached


def render(pipeline: Pipeline, site: Site) -> FileTree:
    """Return `submit.sh`, `task.sh`, and `level-<n>/<index>.sh` for each job."""
    top = head(pipeline)
    rows = levels(pipeline)
    scripts = {
        PurePosixPath(f"level-{level:02}", f"{index}.sh"): script(job, site, top)
        for level, row in enumerate(rows, 1)
        for index, job in enumerate(row)
    }
    texts = {PurePosixPath("submit.sh"): _submit(pipeline, rows), PurePosixPath("task.sh"): _TASK}
    programs = {path: f"#!/bin/sh\n{top}{text}".encode() for path, text in texts.items()}
    ignored = {PurePosixPath("logs", ".gitignore"): b"*\n!.gitignore\n"}
    return FileTree(files={**scripts, **programs, **ignored}, executable=frozenset([*scripts, *programs]))


def levels(pipeline: Pipeline) -> list[list[Job]]:
    """Return the jobs by the longest way to them from a job that needs nothing."""
    level: dict[str, int] = {}
    rows: list[list[Job]] = []
    for job in pipeline.jobs:
        level[job.name] = max((level[name] + 1 for name in job.needs), default=0)
        while len(rows) <= level[job.name]:
            rows.append([])
        rows[level[job.name]].append(job)
    return rows


def _submit(pipeline: Pipeline, rows: list[list[Job]]) -> str:
    minutes = int(pipeline.limits.minutes) + _GRACE_MINUTES
    said = [
        "# Words given to this program go to sbatch: --partition, --account and the like.",
        "set -eu",
        'here=$(cd "$(dirname "$0")" && pwd)',
        ': "${LODE_REPOSITORY:?names the folder of the repository with the stack}"',
        "export LODE_REPOSITORY",
        'rm -f "$here"/level-*/.ended-*',
        "level=",
    ]
    for level, row in enumerate(rows, 1):
        hiding = "" if any(job.trusted for job in row) else f"env {' '.join(f'-u {name}' for name in SECRETS)} "
        memory = max(job.memory_mb for job in row)
        said.append(f"# {', '.join(job.name for job in row)}")
        for attempt in range(1, ATTEMPTS + 1):
            waits = (
                "${level:+--dependency=afterok:$level}"
                if attempt == 1
                else "--dependency=${level:+afterok:$level,}afterany:$last"
            )
            said += [
                f"last=$({hiding}sbatch --parsable --kill-on-invalid-dep=yes {waits} \\",
                f"    --job-name={pipeline.stack}-{level:02} --array=0-{len(row) - 1} \\",
                f"    --cpus-per-task={pipeline.limits.cores} --mem={memory}M --time={minutes} --requeue \\",
                '    --open-mode=append --output="$here/logs/%x-%a.out" \\',
                f'    "$@" "$here/task.sh" "$here/level-{level:02}")',
                "last=${last%%;*}",
            ]
        said += ["level=$last", f'echo "level {level}: job $level"']
    return "\n".join(said) + "\n"


_TASK = f"""\
set -u
ended="$1/.ended-$SLURM_ARRAY_TASK_ID" # holds the status of an earlier attempt that is not to be repeated
[ ! -e "$ended" ] || exit "$(cat "$ended")"
status=0
"$1/$SLURM_ARRAY_TASK_ID.sh" || status=$?
if [ "$status" -eq {UNFINISHED} ]; then
    echo "its time was over: the next attempt goes on"
elif [ "$status" -gt 128 ]; then
    echo "it was ended by a signal: the next attempt goes on"
else
    echo "$status" >"$ended"
fi
exit "$status"
"""
