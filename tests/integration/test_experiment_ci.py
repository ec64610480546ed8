"""The pipelines that experiments reuse: a sample experiment with code of its own on top of a stack, in ten lines."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.building import READER_C, TARGET, Collection, collection
from tests.integration.test_pipelines import GITLAB, LODE, ROOT, entries, git, lint_program, machine

__all__ = ["collection"]

pytestmark = pytest.mark.integration

WORKFLOW = ROOT / ".github" / "workflows" / "experiment.yml"
BUILD = (
    'cc -I"$LODE_PREFIX/include" -L"$LODE_PREFIX/lib" -Wl,-rpath,"$LODE_PREFIX/lib" -o counts counts.c -lwave'
    ' && test "$(./counts)" = 42'
)


@pytest.fixture
def experiment(collection: Collection) -> Collection:
    """Return the repository of an experiment: its stack `tiny`, and a program that is no package."""
    collection.waves()
    (collection.root / "counts.c").write_text(READER_C)
    (collection.root / ".gitignore").write_text("/home/\n/release/\n/store/\n/.gitlab-ci-local/\n/counts\n")
    git(collection.root, "init", "--quiet", "--initial-branch=main")
    git(collection.root, "remote", "add", "origin", "https://forge.example.org/mine/tiny.git")
    return collection


def commit(experiment: Collection, message: str) -> None:
    git(experiment.root, "add", "--all")
    git(experiment.root, "commit", "--quiet", "-m", message)


def test_ten_lines_are_enough_and_linters_accept_them(tmp_path: Path) -> None:
    schemas = {
        WORKFLOW: "vendor.github-workflows",
        ROOT / "ci" / "experiment" / "github.yml": "vendor.github-workflows",
        ROOT / "ci" / "experiment" / "gitlab.yml": "vendor.gitlab-ci",
        ROOT / "ci" / "github" / "setup" / "action.yml": "vendor.github-actions",
    }
    for file, schema in schemas.items():
        words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
        ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert ended.returncode == 0, ended.stdout
        if file.parent.name == "experiment":
            assert len(file.read_text().splitlines()) <= 10
    words = [lint_program(), "-shellcheck=", "-pyflakes=", str(WORKFLOW)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout


def test_no_text_of_a_pull_request_reaches_a_script_and_no_build_a_secret() -> None:
    document = yaml.safe_load(WORKFLOW.read_text())
    for name, job in document["jobs"].items():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
        assert ("secrets." in json.dumps(job)) == (name == "publish")
    used = re.findall(r"uses: (\S+)", WORKFLOW.read_text())
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)


def test_a_runner_of_gitlab_builds_the_experiment_on_its_stack(experiment: Collection) -> None:
    if not GITLAB.exists():
        pytest.skip("gitlab-ci-local is not installed: npm ci in ci/node")
    shutil.copy(ROOT / "ci" / "gitlab" / "experiment.yml", experiment.root / "experiment.yml")
    inputs = {"stack": "tiny", "targets": [TARGET], "build": BUILD, "lode": LODE}
    (experiment.root / ".gitlab-ci.yml").write_text(
        yaml.safe_dump({"include": [{"local": "experiment.yml", "inputs": inputs}]})
    )
    commit(experiment, "start")
    ended = subprocess.run(
        [str(GITLAB), "--shell-executor-no-image"],
        cwd=experiment.root,
        env=machine(experiment, "gitlab"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    assert "PASS  check" in said
    assert re.search(r"PASS  build", said), said
    assert (experiment.root / "counts").is_file()
    assert entries(experiment) == 2


class Called:
    """Runs the reusable workflow as GitHub does when an experiment calls it, but for publishing."""

    def __init__(self, experiment: Collection, inputs: dict[str, Any], *, base: str | None = None) -> None:
        self.experiment = experiment
        self.document = yaml.safe_load(WORKFLOW.read_text())
        self.inputs = inputs
        self.base = base  # the commit that a pull request is held against; None: a push
        self.summary = experiment.home / "summary.md"
        experiment.home.mkdir(parents=True, exist_ok=True)

    def said(self, text: Any, target: str = "") -> str:
        known = {f"${{{{ inputs.{name} }}}}": str(value) for name, value in self.inputs.items()}
        known |= {
            "${{ vars.LODE_STORE }}": str(self.experiment.root / "store"),
            self.document["env"]["LODE_STORE_READ_ONLY"]: "",
            "${{ github.token }}": "the-run's-own",
            "${{ matrix.target }}": target,
            "${{ github.event.pull_request.base.sha }}": self.base or "",
        }
        found = known.get(str(text), str(text))
        assert "${{" not in found, found
        return found

    def job(self, name: str, target: str = "") -> subprocess.CompletedProcess[str]:
        """Return how the first step of the job that fails ended, else the last."""
        place = f"{name}-{target}"
        job = self.document["jobs"][name]
        environment = machine(self.experiment, place) | {
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.experiment.home / place / "temp"),
        }
        for values in (self.document["env"], job.get("env", {})):
            environment |= {key: self.said(value, target) for key, value in values.items()}
        clone = self.experiment.home / place / "clone"
        ended = subprocess.CompletedProcess[str]([], 0, "", "")
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                if path := step["with"].get("path"):
                    (clone / path).mkdir()
                    (clone / path / "lode").write_text(f'#!/bin/sh\nexec {LODE} "$@"\n')
                    (clone / path / "lode").chmod(0o755)
                    (clone / path / "ci").mkdir()  # installs packages of the OS, which this machine has
                    (clone / path / "ci" / "prepare").write_text('#!/bin/sh\necho "prepared for $*"\n')
                    (clone / path / "ci" / "prepare").chmod(0o755)
                else:
                    subprocess.run(["git", "clone", "--quiet", str(self.experiment.root), str(clone)], check=True)
            elif "run" in step and (self.base or "pull_request" not in str(step.get("if", ""))):
                own = {key: self.said(value, target) for key, value in step.get("env", {}).items()}
                words = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
                ended = subprocess.run(
                    words, cwd=clone, env=environment | own, capture_output=True, text=True, timeout=300, check=False
                )
                if ended.returncode != 0:
                    return ended
        return ended


def inputs(**more: Any) -> dict[str, Any]:
    return {
        "lode-repository": "mine/lode",
        "lode-ref": "0" * 40,
        "stack": "tiny",
        "targets": json.dumps([TARGET]),
        "build": BUILD,
        **more,
    }


def test_a_workflow_of_github_builds_the_experiment_on_every_target(experiment: Collection) -> None:
    commit(experiment, "start")
    called = Called(experiment, inputs())
    for name, target in (("check", ""), ("build", TARGET)):
        ended = called.job(name, target)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (experiment.home / f"build-{TARGET}" / "clone" / "counts").is_file()
    assert not called.summary.exists()


def test_a_request_that_breaks_the_experiment_is_told_before_it_is_merged(experiment: Collection) -> None:
    commit(experiment, "start")
    base = subprocess.run(
        ["git", "-C", str(experiment.root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    git(experiment.root, "switch", "--quiet", "-c", "$(touch${IFS}injected)'\"`id`;#")
    source = experiment.root / "recipes" / "wave" / "src" / "wave.c"
    source.write_text(source.read_text().replace("3 * x", "4 * x"))
    ended = experiment.lode("lock", "tiny")
    assert ended.returncode == 0, ended.stderr
    commit(experiment, "wave: four times\n\n$(touch injected)")
    called = Called(experiment, inputs(), base=base)
    ended = called.job("check")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "| tiny@1 | 2 |" in called.summary.read_text()
    ended = called.job("build", TARGET)
    assert ended.returncode != 0
    assert "tiny@1 is released" not in ended.stdout
    assert not [name for name in os.listdir(experiment.home / "check-" / "clone") if "injected" in name]


def test_a_lock_that_is_out_of_date_stops_the_first_job(experiment: Collection) -> None:
    source = experiment.root / "recipes" / "wave" / "src" / "wave.c"
    source.write_text(source.read_text().replace("3 * x", "4 * x"))
    commit(experiment, "start")
    ended = Called(experiment, inputs()).job("check")
    assert ended.returncode == 5, ended.stdout + ended.stderr
