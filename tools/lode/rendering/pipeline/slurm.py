"""A pipeline as job arrays of Slurm (https://slurm.schedmd.com/job_array.html): one for each level of the graph.

`submit.sh` hands all arrays in at once; each waits for those before it. `task.sh` runs one program of an array, and
puts it back into the queue while its time was over before it was done.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from lode.rendering.pipeline import Job, Pipeline, Site
from lode.rendering.pipeline.head import head
from lode.rendering.pipeline.words import UNFINISHED, script
from lode.tree import FileTree

RETRIES = 3
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
        "before=",
    ]
    for level, row in enumerate(rows, 1):
        memory = max(job.memory_mb for job in row)
        said += [
            f"# {', '.join(job.name for job in row)}",
            "before=$(sbatch --parsable --kill-on-invalid-dep=yes ${before:+--dependency=afterok:$before} \\",
            f"    --job-name={pipeline.stack}-{level:02} --array=0-{len(row) - 1} \\",
            f"    --cpus-per-task={pipeline.limits.cores} --mem={memory}M --time={minutes} --requeue \\",
            '    --open-mode=append --output="$here/logs/%x-%a.out" \\',
            f'    "$@" "$here/task.sh" "$here/level-{level:02}")',
            "before=${before%%;*}",
            f'echo "level {level}: job $before"',
        ]
    return "\n".join(said) + "\n"


_TASK = f"""\
set -u
status=0
"$1/$SLURM_ARRAY_TASK_ID.sh" || status=$?
if [ "$status" -eq {UNFINISHED} ] && [ "${{SLURM_RESTART_COUNT:-0}}" -lt {RETRIES} ]; then
    echo "its time was over: back into the queue"
    scontrol requeue "$SLURM_JOB_ID" && sleep 60
fi
exit "$status"
"""
