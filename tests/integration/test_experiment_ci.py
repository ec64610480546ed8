"""The pipelines that experiments reuse: a sample experiment with code of its own on top of a stack, in ten lines."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.integration.actions import Forge
from tests.integration.building import READER_C, TARGET, Collection, collection
from tests.integration.engines import Engine, engine
from tests.integration.machine import TOKEN, git
from tests.integration.test_pipelines import GITLAB, LODE, ROOT, entries, lint_program, machine

__all__ = ["collection", "engine"]

pytestmark = pytest.mark.integration

CALLER = ".github/workflows/stack.yml"
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
        assert ("id-token" in job.get("permissions", {})) == (name == "publish")
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


@pytest.fixture
def forge(experiment: Collection, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """Return a forge with the experiment, whose workflow is the ten lines, and with Lode as it lies here."""
    folder = tmp_path_factory.mktemp("forge")
    lode = folder / "lode"
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if (ROOT / name).is_file():
            (lode / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, lode / name)
    git(lode, "init", "--quiet")
    git(lode, "add", "--all")
    git(lode, "commit", "--quiet", "-m", "lode")
    made = (lode / "ci" / "experiment" / "github.yml").read_text()
    head = git(lode, "rev-parse", "HEAD").strip()
    for old, new in (("OWNER", "mine"), ("COMMIT", head), ("STACK", "tiny"), ("debian12-x86_64", TARGET)):
        made = made.replace(old, new)
    lines = yaml.safe_load(made)
    lines["jobs"]["stack"]["with"] |= {"build": BUILD, "targets": json.dumps([TARGET])}
    workflow = experiment.root / CALLER
    workflow.parent.mkdir(parents=True)
    workflow.write_text(yaml.safe_dump(lines))
    return Forge(
        engine=engine,
        folder=folder,
        repositories={"mine/tiny": experiment.root, "mine/lode": lode},
        variables={"LODE_STORE": str(experiment.root / "store")},
        secrets={"publish": {"LODE_KEY_PASSWORD": "a-secret"}},
        shared=[experiment.root / "store"],
        environment={"LODE_VENV": sys.prefix},  # as a machine that has what Lode needs already
    )


def test_ten_lines_build_the_experiment_on_every_target(experiment: Collection, forge: Forge) -> None:
    commit(experiment, "start")
    jobs = forge.push("mine/tiny", CALLER)
    log = "".join(job.log for job in jobs.values())
    build = f"stack / build ({TARGET})"
    assert {name: job.result for name, job in jobs.items()} == {
        "stack / check": "success",
        build: "success",
        "stack / publish": "skipped",
    }, log
    assert (jobs[build].workspace / "counts").is_file()
    assert "work/_temp/release/report.html" in jobs[build].artifacts[f"report-{TARGET}"]
    assert not jobs["stack / check"].summary
    assert entries(experiment) == 2
    assert TOKEN not in log


def test_a_request_that_breaks_the_experiment_is_told_before_it_is_merged(experiment: Collection, forge: Forge) -> None:
    commit(experiment, "start")
    base = git(experiment.root, "rev-parse", "HEAD").strip()
    branch = "$(touch${IFS}injected)'\"`id`;#"
    git(experiment.root, "switch", "--quiet", "-c", branch)
    source = experiment.root / "recipes" / "wave" / "src" / "wave.c"
    source.write_text(source.read_text().replace("3 * x", "4 * x"))
    ended = experiment.lode("lock", "tiny")
    assert ended.returncode == 0, ended.stderr
    title = "wave: four times $(touch injected)"
    commit(experiment, title)
    jobs = forge.request("mine/tiny", CALLER, base=base, source="mine/tiny", title=title, branch=branch)
    log = "".join(job.log for job in jobs.values())
    build = f"stack / build ({TARGET})"
    assert {name: job.result for name, job in jobs.items()} == {
        "stack / check": "success",
        build: "failure",
        "stack / publish": "skipped",
    }, log
    assert "| tiny@1 | 2 |" in jobs["stack / check"].summary
    assert not list(forge.folder.rglob("injected"))


def test_a_lock_that_is_out_of_date_stops_the_first_job(experiment: Collection, forge: Forge) -> None:
    source = experiment.root / "recipes" / "wave" / "src" / "wave.c"
    source.write_text(source.read_text().replace("3 * x", "4 * x"))
    commit(experiment, "start")
    jobs = forge.push("mine/tiny", CALLER)
    assert [job.result for job in jobs.values()] == ["failure", "skipped", "skipped"]
    assert "lode.lock" in jobs["stack / check"].log


ACTION = """\
on: {push: {}}
jobs:
  version:
    runs-on: ubuntu-24.04
    steps:
      - uses: mine/lode/ci/github/setup@COMMIT
        with: {install-deps: "false"}
      - id: asked
        run: echo "version=$(lode --version)" >>"$GITHUB_OUTPUT"
      - run: echo "said ${{ steps.asked.outputs.version }}"
      - if: ${{ failure() }}
        run: echo never
"""


def test_the_action_installs_lode_and_puts_it_on_the_path_of_the_steps_behind_it(
    experiment: Collection, forge: Forge
) -> None:
    head = git(forge.repositories["mine/lode"], "rev-parse", "HEAD").strip()
    (experiment.root / CALLER).write_text(ACTION.replace("COMMIT", head))
    commit(experiment, "start")
    forge.environment = {}
    (job,) = forge.push("mine/tiny", CALLER).values()
    assert job.result == "success", job.log
    assert "said lode, version " in job.log
    assert "never" not in job.log
