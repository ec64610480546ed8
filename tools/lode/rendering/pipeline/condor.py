"""A pipeline as a DAG of HTCondor (https://htcondor.readthedocs.io/en/latest/automated-workflows/dagman-introduction.html).

Jobs are programs of sh below `jobs/`; `job.sub` describes them all. A job that ends badly, its time over or its machine
gone, is run again a few times and goes on from the shared store; the rescue DAG goes on after that.

It needs HTCondor 23 or newer: since 10.4 DAGMan takes over no more of the submitter's environment than the DAG names,
by `ENV GET`.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from lode.rendering.pipeline import Job, Pipeline, Site
from lode.rendering.pipeline.head import head
from lode.rendering.pipeline.words import SECRETS, script
from lode.tree import FileTree

RETRIES = 3
_PASSED_ON = (
    *("HOME", "PATH", "LODE_*", "AWS_*", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "http_proxy", "https_proxy"),
    *(f"!{name}" for name in SECRETS),  # what a job is given, all users of the pool can read in the queue
)


def render(pipeline: Pipeline, site: Site) -> FileTree:
    """Return `<stack>.dag`, `job.sub` and a program for each job."""
    top = head(pipeline)
    scripts = {PurePosixPath("jobs", f"{job.name}.sh"): script(job, site, top) for job in pipeline.jobs}
    dag = top + "".join(f"{line}\n" for line in _dag(pipeline))
    files = {
        **scripts,
        PurePosixPath(f"{pipeline.stack}.dag"): dag.encode(),
        PurePosixPath("job.sub"): (top + _submit(pipeline)).encode(),
        PurePosixPath("logs", ".gitignore"): b"*\n!.gitignore\n",
    }
    return FileTree(files=files, executable=frozenset(scripts))


def _dag(pipeline: Pipeline) -> list[str]:
    said = [f"ENV GET {','.join(_PASSED_ON)}"]  # DAGMan hands on to its jobs only what it was told to take itself
    for job in pipeline.jobs:
        said += [f"JOB {_name(job)} job.sub", f"VARS {_name(job)} {_variables(job)}", f"RETRY {_name(job)} {RETRIES}"]
    for job in pipeline.jobs:
        if job.needs:
            said.append(f"PARENT {' '.join(name.replace('.', '_') for name in job.needs)} CHILD {_name(job)}")
    return said


def _name(job: Job) -> str:
    """Return the job's name in the DAG, where dots have a meaning of their own."""
    return job.name.replace(".", "_")


def _variables(job: Job) -> str:
    return f'lode_job="{job.name}" lode_memory_mb="{job.memory_mb}" lode_disk_kb="{job.disk_mb * 1000}"'


def _submit(pipeline: Pipeline) -> str:
    return (
        "universe = vanilla\n"
        "executable = jobs/$(lode_job).sh\n"
        "transfer_executable = false\n"
        "should_transfer_files = no\n"
        "log = logs/dag.log\n"
        "output = logs/$(lode_job).out\n"
        "error = logs/$(lode_job).err\n"
        f"request_cpus = {pipeline.limits.cores}\n"
        "request_memory = $(lode_memory_mb)\n"
        "request_disk = $(lode_disk_kb)\n"
        f"getenv = {','.join(_PASSED_ON)}\n"
        "queue\n"
    )
