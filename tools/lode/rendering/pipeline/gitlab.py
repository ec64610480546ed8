"""A pipeline of GitLab CI (https://docs.gitlab.com/ci/yaml/): a child with the jobs, and the parent that starts it.

A job whose time was over is run again by GitLab, and goes on. The job that publishes runs on the protected default
branch alone, in the environment `publish`: variables with secrets are to be scoped to that, so that no other sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from lode.errors import UsageError
from lode.rendering.pipeline import Job, Pipeline, Site, Stage
from lode.rendering.pipeline.head import head
from lode.rendering.pipeline.words import UNFINISHED, by_identity, lines, prepared, refuse
from lode.rendering.quoting import yaml_document
from lode.tree import FileTree

PARENT = PurePosixPath(".gitlab-ci.yml")
_COMMON = ("stages", "workflow")  # what a parent says besides the stacks that it starts
_JOINED = "# Rendered by lode: starts the pipelines of all stacks that `lode ci render --to gitlab` wrote here.\n"
_VARIABLES = ("$",)  # in everything but scripts, GitLab replaces variables
_GRACE_MINUTES = 30  # for a node that runs when the job's own limit is reached
_OF_RUN = "lode-$CI_PIPELINE_ID"  # key of caches that other pipelines never see
_RETRIES = 2  # the most that GitLab allows
_REQUEST = '$CI_PIPELINE_SOURCE == "merge_request_event"'


def render(pipeline: Pipeline, site: Site) -> FileTree:
    """Return `.gitlab-ci.yml`, which starts `ci/pipelines/<stack>.yml` with the jobs."""
    jobs: dict[str, Any] = {
        "stages": [str(stage) for stage in Stage],
        "default": {"interruptible": True},
        **{job.name: _job(job, pipeline, site) for job in pipeline.jobs},
    }
    files = {PARENT: parent([pipeline.stack]), _child(pipeline.stack): jobs}
    return FileTree(files={path: (head(pipeline) + yaml_document(said)).encode() for path, said in files.items()})


def parent(stacks: Iterable[str]) -> dict[str, Any]:
    """Return the document that starts the pipelines of `stacks`, in the order of their names."""
    rules = [
        {"if": _REQUEST, "variables": {"LODE_STORE_READ_ONLY": "1"}},
        {"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"},
        {"if": '$CI_PIPELINE_SOURCE == "web" || $CI_PIPELINE_SOURCE == "schedule"'},
    ]
    return {"stages": ["lode"], "workflow": {"rules": rules}} | {stack: _trigger(stack) for stack in sorted(stacks)}


def join(made: FileTree, folder: Path) -> FileTree:
    """Return `made` with a parent that starts the pipelines of other stacks too, those that `folder`'s parent starts.

    UsageError when the parent there says anything that Lode did not write: it is left alone, and the hint has the line
    that takes the pipeline in.
    """
    place = folder / PARENT
    if not place.is_file():
        return made
    try:
        there = yaml.safe_load(place.read_bytes()) or {}
    except yaml.YAMLError:
        there = None
    (own,) = started(yaml.safe_load(made.files[PARENT]))
    others = started(there) if isinstance(there, dict) else ()
    joined = parent({own, *others})
    if not isinstance(there, dict) or {name: joined.get(name) for name in there} != there:
        raise UsageError(
            f"{place} has more than pipelines of stacks in it: it is left as it is",
            hint=f"render to another folder, copy {_child(own)} from there, and start it with `trigger: {{include: "
            f"[{{local: {_child(own)}}}], strategy: depend}}` in a job of yours",
        )
    if set(others) <= {own}:
        return made
    return replace(made, files={**made.files, PARENT: (_JOINED + yaml_document(joined)).encode()})


def started(document: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return the stacks whose pipelines a parent starts, if it is one that Lode wrote."""
    return tuple(str(name) for name in document if name not in _COMMON)


def _child(stack: str) -> PurePosixPath:
    return PurePosixPath("ci", "pipelines", f"{stack}.yml")


def _trigger(stack: str) -> dict[str, Any]:
    return {"stage": "lode", "trigger": {"include": [{"local": str(_child(stack))}], "strategy": "depend"}}


def _job(job: Job, pipeline: Pipeline, site: Site) -> dict[str, Any]:
    said: dict[str, Any] = {"stage": str(job.stage), "needs": list(job.needs)}
    if job.target and job.target in site.images:
        said["image"] = refuse(site.images[job.target], _VARIABLES, "GitLab")
    said["timeout"] = f"{int(pipeline.limits.minutes) + _GRACE_MINUTES} minutes"
    if job.stage is Stage.BUILD:
        said["retry"] = {"max": _RETRIES, "exit_codes": [UNFINISHED]}
        if job.hands:  # artifacts of an attempt that failed do not reach the next one
            said["cache"] = {"key": f"{_OF_RUN}-{job.name}", "paths": [f"{job.hands}/"], "when": "always"}
    if job.trusted:
        said["rules"] = [
            {"if": '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_COMMIT_REF_PROTECTED == "true"'},
        ]
        said["environment"] = "publish"
        said["interruptible"] = False
        if site.keyless:
            said["id_tokens"] = {"SIGSTORE_ID_TOKEN": {"aud": "sigstore"}}
            said["variables"] = {"LODE_EXTRA": "sigstore"}
    said["script"] = [*prepared(job, site), *lines(by_identity(job, site), site)]
    kept = [*job.keeps, *([f"{job.hands}/"] if job.hands and not job.trusted else ())]
    if kept:
        said["artifacts"] = {"when": "always", "paths": kept, "expire_in": "30 days"}
        reports = [path for path in job.keeps if path.endswith(".xml")]
        if reports:
            said["artifacts"]["reports"] = {"junit": reports}
    return said
