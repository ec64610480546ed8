"""A pipeline of GitLab CI (https://docs.gitlab.com/ci/yaml/): a child with the jobs, and the parent that starts it.

A job whose time was over is run again by GitLab, and goes on. The job that publishes runs on the protected default
branch alone, in the environment `publish`: variables with secrets are to be scoped to that, so that no other sees them.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from lode.rendering.pipeline import Job, Pipeline, Site, Stage
from lode.rendering.pipeline.head import head
from lode.rendering.pipeline.words import UNFINISHED, lines, prepared, refuse
from lode.rendering.quoting import yaml_document
from lode.tree import FileTree

_VARIABLES = ("$",)  # in everything but scripts, GitLab replaces variables
_GRACE_MINUTES = 30  # for a node that runs when the job's own limit is reached
_RETRIES = 2  # the most that GitLab allows
_REQUEST = '$CI_PIPELINE_SOURCE == "merge_request_event"'


def render(pipeline: Pipeline, site: Site) -> FileTree:
    """Return `.gitlab-ci.yml`, which starts `ci/pipelines/<stack>.yml` with the jobs."""
    child = PurePosixPath("ci", "pipelines", f"{pipeline.stack}.yml")
    rules = [
        {"if": _REQUEST, "variables": {"LODE_STORE_READ_ONLY": "1"}},
        {"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"},
        {"if": '$CI_PIPELINE_SOURCE == "web" || $CI_PIPELINE_SOURCE == "schedule"'},
    ]
    parent = {
        "stages": ["lode"],
        "workflow": {"rules": rules},
        pipeline.stack: {"stage": "lode", "trigger": {"include": [{"local": str(child)}], "strategy": "depend"}},
    }
    jobs: dict[str, Any] = {
        "stages": [str(stage) for stage in Stage],
        "default": {"interruptible": True},
        **{job.name: _job(job, pipeline, site) for job in pipeline.jobs},
    }
    files = {PurePosixPath(".gitlab-ci.yml"): parent, child: jobs}
    return FileTree(files={path: (head(pipeline) + yaml_document(said)).encode() for path, said in files.items()})


def _job(job: Job, pipeline: Pipeline, site: Site) -> dict[str, Any]:
    said: dict[str, Any] = {"stage": str(job.stage), "needs": list(job.needs)}
    if job.target and job.target in site.images:
        said["image"] = refuse(site.images[job.target], _VARIABLES, "GitLab")
    said["timeout"] = f"{int(pipeline.limits.minutes) + _GRACE_MINUTES} minutes"
    if job.stage is Stage.BUILD:
        said["retry"] = {"max": _RETRIES, "exit_codes": [UNFINISHED]}
    if job.trusted:
        said["rules"] = [
            {"if": '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_COMMIT_REF_PROTECTED == "true"'},
        ]
        said["environment"] = "publish"
        said["interruptible"] = False
    said["script"] = [*prepared(job, site), *lines(job, site)]
    if job.keeps:
        said["artifacts"] = {"when": "always", "paths": list(job.keeps), "expire_in": "30 days"}
        reports = [path for path in job.keeps if path.endswith(".xml")]
        if reports:
            said["artifacts"]["reports"] = {"junit": reports}
    return said
