"""A pipeline as a workflow of GitHub Actions (https://docs.github.com/actions/reference/workflow-syntax).

No text of a pull request (its title, branch, author) is ever part of a script. Jobs read the repository and write
packages with the run's own token, which Lode keeps from what it builds and which cannot write when a fork asks. The
job that publishes runs for the main branch alone, in the environment `publish`, and only it sees secrets, or can ask
for a token of who it is.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from lode.rendering.pipeline import Job, Pipeline, Site, Stage
from lode.rendering.pipeline.head import head
from lode.rendering.pipeline.words import by_identity, lines, prepared, refuse
from lode.rendering.quoting import yaml_document
from lode.tree import FileTree

# Third-party actions, each pinned by the commit of a release.
CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683"  # v4.2.2
DOWNLOAD = "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093"  # v4.3.0
UPLOAD = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02"  # v4.6.2

_MARKS = ("${{",)
_GRACE_MINUTES = 30  # for a node that runs when the job's own limit is reached
_FORK = "github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name != github.repository"


def render(pipeline: Pipeline, site: Site) -> FileTree:
    """Return `.github/workflows/<stack>.yml`."""
    document = {
        "name": f"{pipeline.stack} {pipeline.release}",
        "on": {"push": {"branches": [site.branch]}, "pull_request": {}, "workflow_dispatch": {}},
        "permissions": {"contents": "read"},
        "concurrency": {
            "group": f"lode-{pipeline.stack}-${{{{ github.ref }}}}",
            "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
        },
        "env": {
            "LODE_STORE": "${{ vars.LODE_STORE }}",
            "LODE_STORE_READ_ONLY": f"${{{{ ({_FORK}) && '1' || '' }}}}",
        },
        "defaults": {"run": {"shell": "bash"}},
        "jobs": {_key(job.name): _job(job, pipeline, site) for job in pipeline.jobs},
    }
    path = PurePosixPath(".github", "workflows", f"{pipeline.stack}.yml")
    return FileTree(files={path: (head(pipeline) + yaml_document(document)).encode()})


def _key(name: str) -> str:
    """Return a job's name as the key that other jobs need it by: letters, digits, `-` and `_`."""
    return name.replace(".", "_")


def _job(job: Job, pipeline: Pipeline, site: Site) -> dict[str, Any]:
    said: dict[str, Any] = {"name": job.name, "runs-on": refuse(site.runner, _MARKS, "GitHub")}
    if job.needs:
        said["needs"] = [_key(name) for name in job.needs]
    if job.trusted:
        branch = refuse(site.branch, (*_MARKS, "'"), "GitHub")
        said["if"] = f"github.event_name != 'pull_request' && github.ref == 'refs/heads/{branch}'"
        said["environment"] = "publish"
        said["permissions"] = {"contents": "read", "packages": "write"}
        if site.keyless:
            said["permissions"]["id-token"] = "write"
            said["env"] = {"LODE_EXTRA": "sigstore"}
    elif job.stage in (Stage.BUILD, Stage.TEST):  # the token of a fork's pull request cannot write all the same
        said["permissions"] = {"contents": "read", "packages": "write"}
    if job.target and job.target in site.images:
        said["container"] = {"image": refuse(site.images[job.target], _MARKS, "GitHub"), "options": "--privileged"}
    said["timeout-minutes"] = int(pipeline.limits.minutes) + _GRACE_MINUTES
    said["steps"] = _steps(job, site)
    return said


def _steps(job: Job, site: Site) -> list[dict[str, Any]]:
    environment: dict[str, str] = {}
    if job.stage is not Stage.CHECK:
        environment = {"LODE_STORE_TOKEN": "${{ github.token }}"}  # the run's own, not a secret that is kept
    if job.trusted:
        environment |= {
            "LODE_KEY_PASSWORD": "${{ secrets.LODE_KEY_PASSWORD }}",
            "LODE_CVMFS_PASSPHRASE": "${{ secrets.LODE_CVMFS_PASSPHRASE }}",
        }
    steps: list[dict[str, Any]] = [{"uses": CHECKOUT, "with": {"persist-credentials": False}}]
    if job.hands:
        steps.append({"uses": DOWNLOAD, "with": {"pattern": "built-*", "path": job.hands, "merge-multiple": True}})
    if site.prepare:
        steps.append({"name": "Lode", "run": _script(prepared(job, site))})
    run: dict[str, Any] = {"name": job.stage.capitalize(), "run": _script(lines(by_identity(job, site), site))}
    if environment:
        run["env"] = environment
    steps.append(run)
    if job.keeps:
        kept = {"name": job.name, "path": "\n".join(job.keeps) + "\n", "if-no-files-found": "error"}
        steps.append({"if": "${{ !cancelled() }}", "uses": UPLOAD, "with": kept})
    if job.hands and not job.trusted:
        handed = {
            "name": f"built-{job.name}",
            "path": f"{job.hands}/",
            "if-no-files-found": "ignore",
            "overwrite": True,
        }
        steps.append({"if": "${{ !cancelled() }}", "uses": UPLOAD, "with": handed})
    return steps


def _script(commands: tuple[str, ...]) -> str:
    return "".join(f"{refuse(command, _MARKS, 'GitHub')}\n" for command in commands)
