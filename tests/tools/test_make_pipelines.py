"""This collection's own pipelines are what its locks render to, and call what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from tests.tools.scripts import script

from lode.cli.main import COMMANDS

make_pipelines = script("make_pipelines")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made() -> dict[PurePosixPath, str]:
    files: dict[PurePosixPath, str] = make_pipelines.files()
    return files


@pytest.mark.integration  # it is about the whole collection: whoever changes a lock calls the script before a landing
def test_committed_pipelines_are_what_the_script_writes(made: dict[PurePosixPath, str]) -> None:
    for path, text in made.items():
        assert (ROOT / path).read_text() == text, f"{path} is not current: run tools/make_pipelines.py"


def test_gitlab_starts_the_jobs_of_every_stack_but_not_on_the_weekly_schedule(made: dict[PurePosixPath, str]) -> None:
    parent: dict[str, Any] = yaml.safe_load(made[PurePosixPath(".gitlab-ci.yml")])
    children = {job["trigger"]["include"][0]["local"] for job in parent.values() if "trigger" in job}
    assert children == {str(path) for path in made if path.parent == PurePosixPath("ci/pipelines")}
    assert len(children) >= 2
    scheduled = {"if": '$CI_PIPELINE_SOURCE == "schedule"'}
    jobs = {name: job for name, job in parent.items() if name not in ("stages", "workflow")}
    assert [name for name, job in jobs.items() if job["rules"][0] == scheduled] == ["outdated"]
    assert all(job["rules"][0] == {**scheduled, "when": "never"} for name, job in jobs.items() if name != "outdated")


def test_commands_that_the_pipelines_call_are_there(made: dict[PurePosixPath, str]) -> None:
    assert os.access(ROOT / "ci" / "prepare", os.X_OK)
    called = {name for text in made.values() for name in re.findall(r"\./lode ([a-z]+)", text)}
    assert called - set(COMMANDS) == set()
    assert {"build", "release", "publish", "outdated"} <= called


def test_a_job_prepares_its_machine_for_the_targets_that_it_is_for_and_no_other(made: dict[PurePosixPath, str]) -> None:
    for path in (path for path in made if path.parent == PurePosixPath("ci/pipelines")):
        for name, job in yaml.safe_load(made[path]).items():
            if name in ("stages", "default"):
                continue
            named = sorted({word for line in job["script"] for word in re.findall(r"--target (\S+)", line)})
            assert job["script"][0].split() == ["ci/prepare", *named], (path, name)


def test_every_action_is_pinned_by_a_commit(made: dict[PurePosixPath, str]) -> None:
    used = [use for text in made.values() for use in re.findall(r"uses: (\S+)", text)]
    assert used
    assert [use for use in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", use)] == []


def test_check_shows_what_differs_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make_pipelines, "ROOT", tmp_path)
    monkeypatch.setattr(make_pipelines, "files", lambda: {PurePosixPath("a/b.yml"): "x: 1\n"})
    assert make_pipelines.main(["--check"]) == 1
    assert "+x: 1" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert make_pipelines.main([]) == 0
    assert make_pipelines.main(["--check"]) == 0


@pytest.mark.integration
def test_linters_accept_every_file() -> None:
    from tests.integration.test_pipelines import lint_program

    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    children = [ROOT / ".gitlab-ci.yml", *sorted((ROOT / "ci" / "pipelines").glob("*.yml"))]
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    for words in (
        [lint_program(), "-shellcheck=", "-pyflakes=", *map(str, workflows)],
        [*schema, "vendor.github-workflows", *map(str, workflows)],
        [*schema, "vendor.gitlab-ci", *map(str, children)],
    ):
        ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
        assert ended.returncode == 0, ended.stdout + ended.stderr
