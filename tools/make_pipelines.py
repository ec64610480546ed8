"""Writes this collection's own pipelines for both forges: its stacks' by `lode ci render`, its checks', the weekly one.

tools/make_pipelines.py            .github/workflows/, .gitlab-ci.yml and ci/pipelines/ are written
tools/make_pipelines.py --check    nothing is written; what differs is shown, and the exit status is 1
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from lode.cli.ci import governing
from lode.definitions.catalogue import Catalogue
from lode.errors import LodeError
from lode.rendering.pipeline import Limits, Pipeline, Site, engine, gitlab
from lode.rendering.pipeline.github import CHECKOUT, UPLOAD
from lode.rendering.pipeline.gitlab import PARENT
from lode.rendering.quoting import yaml_document
from lode.workflow import pipeline

ROOT = Path(__file__).resolve().parent.parent
LIMITS = Limits(minutes=300, disk_mb=12000, cores=4)  # within what free machines give: six hours, 14 GB, four cores
SITE = Site(lode=("./lode",), prepare=("ci/prepare {targets}",))
HEAD = "# Written by tools/make_pipelines.py; change that.\n"
WEEKLY = ("ci/prepare", "./lode outdated --markdown >outdated.md")
_SCHEDULED = '$CI_PIPELINE_SOURCE == "schedule"'


def files() -> Mapping[PurePosixPath, str]:
    """Return all files by their path in the repository."""
    catalogue = Catalogue.open([ROOT], here=ROOT)
    drawn = [
        pipeline.draw(
            catalogue, name, limits=LIMITS, times=ROOT / pipeline.TIMES, policy=governing(ROOT, None, stack=name)
        )
        for name in stacks(catalogue)
    ]
    made = {path: text for one in drawn for path, text in _rendered("github", one).items()}
    made |= {path: text for one in drawn for path, text in _rendered("gitlab", one).items()}
    made[PARENT] = HEAD + yaml_document(_parent(drawn))
    workflows = PurePosixPath(".github", "workflows")
    made[workflows / "ci.yml"] = HEAD + yaml_document(_check())
    made[workflows / "weekly.yml"] = HEAD + yaml_document(_weekly())
    return dict(sorted(made.items()))


def stacks(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the newest release of each stack that is locked, as `name@release`, sorted."""
    newest = {}
    for name, _ in catalogue.stacks():
        stack = catalogue.stack(name)
        if catalogue.lock_path(stack).is_file():
            newest[name] = stack.release
    return tuple(f"{name}@{release}" for name, release in sorted(newest.items()))


def _rendered(name: str, drawn: Pipeline) -> Mapping[PurePosixPath, str]:
    return {path: text.decode() for path, text in engine(name).render(drawn, SITE).files.items()}


def _parent(drawn: Sequence[Pipeline]) -> dict[str, Any]:
    """Return GitLab's own file: a child pipeline for each stack, the checks, and on a schedule what is outdated."""
    said = gitlab.parent(one.stack for one in drawn)
    for stack in gitlab.started(said):
        said[stack]["rules"] = [{"if": _SCHEDULED, "when": "never"}, {"when": "on_success"}]
    said["ci"] = {
        "stage": "lode",
        "rules": [{"if": _SCHEDULED, "when": "never"}, {"when": "on_success"}],
        "timeout": "60 minutes",
        "script": ["ci/run"],
        "artifacts": {"when": "always", "paths": [".ci-reports/"], "expire_in": "30 days"},
    }
    said["outdated"] = {
        "stage": "lode",
        "rules": [{"if": _SCHEDULED}],
        "timeout": "60 minutes",
        "script": list(WEEKLY),
        "artifacts": {"when": "always", "paths": ["outdated.md"], "expire_in": "30 days"},
    }
    return said


def _check() -> dict[str, Any]:
    job = {
        "runs-on": SITE.runner,
        "timeout-minutes": 60,
        "steps": [
            {"uses": CHECKOUT, "with": {"persist-credentials": False, "fetch-depth": 0}},
            {"name": "Checks", "run": "sudo ci/run --quick"},
            _kept("reports", ".ci-reports/"),
        ],
    }
    return _workflow("ci", {"push": {"branches": [SITE.branch]}, "pull_request": {}}, {"check": job})


def _weekly() -> dict[str, Any]:
    job = {
        "runs-on": SITE.runner,
        "timeout-minutes": 60,
        "steps": [
            {"uses": CHECKOUT, "with": {"persist-credentials": False}},
            {
                "name": "Outdated",
                "run": "".join(f"{line}\n" for line in WEEKLY),
            },
            {"if": "${{ !cancelled() }}", "name": "Summary", "run": 'cat outdated.md >>"$GITHUB_STEP_SUMMARY"'},
            _kept("outdated", "outdated.md"),
        ],
    }
    return _workflow("weekly", {"schedule": [{"cron": "17 4 * * 1"}], "workflow_dispatch": {}}, {"outdated": job})


def _workflow(name: str, on: Mapping[str, Any], jobs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "on": dict(on),
        "permissions": {"contents": "read"},
        "concurrency": {"group": f"{name}-${{{{ github.ref }}}}", "cancel-in-progress": False},
        "defaults": {"run": {"shell": "bash"}},
        "jobs": dict(jobs),
    }


def _kept(name: str, path: str) -> dict[str, Any]:
    kept = {"name": name, "path": path, "if-no-files-found": "error", "include-hidden-files": True}
    return {"if": "${{ !cancelled() }}", "uses": UPLOAD, "with": kept}


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with `--check` print how they differ; return 1 when they do, or when a lock is not sound."""
    differs = False
    try:
        made = files()
    except LodeError as error:
        print(f"make_pipelines: {error}", file=sys.stderr)
        return 1
    for name, text in made.items():
        path = ROOT / name
        before = path.read_text() if path.exists() else ""
        if "--check" in arguments:
            for line in difflib.unified_diff(before.splitlines(), text.splitlines(), str(name), "made", lineterm=""):
                print(line)
                differs = True
        elif before != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return int(differs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
