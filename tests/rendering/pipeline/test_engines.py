from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.golden.check import same_as_golden
from tests.rendering.pipeline.graphs import drawn

from lode.errors import UsageError
from lode.rendering.pipeline import ENGINES, Limits, Pipeline, Site, Stage, engine
from lode.rendering.pipeline.words import Inexpressible

EDGES = {"app": ("lib", "tool"), "lib": (), "tool": (), "view": ("lib",)}
SMALL = Limits(minutes=4, disk_mb=12000, cores=1)
DIGEST = f"quay.io/almalinux@sha256:{'0' * 64}"
SITE = Site(
    lode=("./lode",),
    prepare=("./lode --install-deps --version",),
    images={"el9-x86_64": DIGEST},
    runner="self-hosted",
    branch="master",
)


def pipeline() -> Pipeline:
    return drawn(EDGES, {"lib": 60, "tool": 30}, "debian12-x86_64", "el9-x86_64", limits=SMALL, policy="trust.yaml")


def files(name: str, site: Site = SITE) -> dict[PurePosixPath, str]:
    return {path: text.decode() for path, text in engine(name).render(pipeline(), site).files.items()}


@pytest.mark.parametrize("name", list(ENGINES))
def test_sample_renders_as_before(name: str) -> None:
    for path, text in files(name).items():
        same_as_golden(f"rendering/pipeline/{name}/{path}", text.encode())


@pytest.mark.parametrize("name", list(ENGINES))
def test_twice_gives_the_same_bytes_and_every_text_says_its_lock(name: str) -> None:
    made = engine(name).render(pipeline(), SITE)
    assert made == engine(name).render(pipeline(), SITE)
    for path, text in made.files.items():
        if path.name != ".gitignore":
            assert f"Lock: sha256:{pipeline().lock_digest}" in text.decode()


def needs(name: str) -> dict[str, set[str]]:
    """Return what each job waits for, read from the engine's own format."""
    made = files(name)
    match name:
        case "github":
            document: dict[str, Any] = yaml.safe_load(made[PurePosixPath(".github/workflows/dance.yml")])
            return {job["name"]: set(job.get("needs", ())) for job in document["jobs"].values()}
        case "gitlab":
            document = yaml.safe_load(made[PurePosixPath("ci/pipelines/dance.yml")])
            return {job: set(said["needs"]) for job, said in document.items() if job not in ("stages", "default")}
        case "condor":
            lines = made[PurePosixPath("dance.dag")].splitlines()
            found = {line.split()[1]: set[str]() for line in lines if line.startswith("JOB ")}
            for line in lines:
                if line.startswith("PARENT "):
                    parents, children = line.removeprefix("PARENT ").split(" CHILD ")
                    for child in children.split():
                        found[child] |= set(parents.split())
            return found
    raise AssertionError(name)


@pytest.mark.parametrize("name", ["github", "gitlab", "condor"])
def test_jobs_wait_for_what_the_plan_says(name: str) -> None:
    assert needs(name) == {job.name: set(job.needs) for job in pipeline().jobs}


def test_arrays_of_slurm_hold_every_job_after_what_it_needs() -> None:
    level = {}
    for path, text in files("slurm").items():
        if match := re.fullmatch(r"level-(\d+)", path.parts[0]):
            job = re.search(r"^# ([a-z][\w.-]*): ", text, re.MULTILINE)
            assert job is not None
            level[job[1]] = int(match[1])
    assert set(level) == {job.name for job in pipeline().jobs}
    for job in pipeline().jobs:
        assert all(level[name] < level[job.name] for name in job.needs)


@pytest.mark.parametrize("name", list(ENGINES))
def test_only_the_job_that_publishes_sees_secrets(name: str) -> None:
    for path, text in files(name).items():
        if name == "github":
            for job in yaml.safe_load(text)["jobs"].values():
                assert ("secrets." in str(job)) == (job["name"] == "publish")
                assert (job.get("environment") == "publish") == (job["name"] == "publish")
                if job["name"] == "publish":
                    assert job["if"] == "github.event_name != 'pull_request' && github.ref == 'refs/heads/master'"
        else:
            assert "secrets" not in text, path


def test_only_the_job_that_publishes_has_a_token_and_only_where_it_signs_by_identity() -> None:
    for keyless in (False, True):
        (github,) = files("github", replace(SITE, keyless=keyless)).values()
        for job in yaml.safe_load(github)["jobs"].values():
            signs = keyless and job["name"] == "publish"
            assert ("id-token" in job.get("permissions", {})) == signs
            assert ("sigstore" in str(job)) == signs
            assert str(job).count("--key sigstore:") == (2 if signs else 0)  # the release and the store's index
        child = files("gitlab", replace(SITE, keyless=keyless))[PurePosixPath("ci/pipelines/dance.yml")]
        for name, job in yaml.safe_load(child).items():
            signs = keyless and name == "publish"
            assert ("sigstore" in str(job)) == signs
            assert (isinstance(job, dict) and "id_tokens" in job) == signs
            if signs:
                assert job["id_tokens"] == {"SIGSTORE_ID_TOKEN": {"aud": "sigstore"}}
    for farm in ("condor", "slurm"):  # which has no identity to sign by
        assert files(farm, replace(SITE, keyless=True)) == files(farm)


@pytest.mark.integration
def test_what_is_about_the_store_is_left_out_where_there_is_none(tmp_path: Path) -> None:
    (line,) = (line for line in files("slurm")[PurePosixPath("level-05", "0.sh")].splitlines() if "store sign" in line)
    lode = tmp_path / "lode"
    lode.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    lode.chmod(0o755)
    for store, status, said in (("", 0, ""), ("/shared", 3, "store sign dance@2026.11\n")):
        ended = subprocess.run(
            ["sh", "-euc", line], cwd=tmp_path, env={"LODE_STORE": store}, capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stdout) == (status, said)


def test_lists_of_what_a_run_built_reach_every_later_job_of_a_forge() -> None:
    (workflow,) = files("github").values()
    for job in yaml.safe_load(workflow)["jobs"].values():
        uses = [step["with"] for step in job["steps"] if step.get("with", {}).get("path", "").startswith("lode-built")]
        taken = {"pattern": "built-*", "path": "lode-built", "merge-multiple": True}
        given = {
            "name": f"built-{job['name']}",
            "path": "lode-built/",
            "if-no-files-found": "ignore",
            "overwrite": True,
        }
        assert uses == {"check": [], "publish": [taken]}.get(job["name"], [taken, given])
    jobs = yaml.safe_load(files("gitlab")[PurePosixPath("ci/pipelines/dance.yml")])
    for job in pipeline().jobs:
        said = jobs[job.name]
        given = job.stage in (Stage.BUILD, Stage.TEST)
        assert ("lode-built/" in said.get("artifacts", {}).get("paths", ())) == given
        assert ("cache" in said) == (job.stage is Stage.BUILD)


def test_every_action_is_pinned_by_a_commit() -> None:
    (workflow,) = files("github").values()
    used = re.findall(r"uses: (\S+)", workflow)
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)


def test_nothing_of_a_pull_request_is_part_of_a_script() -> None:
    (workflow,) = files("github").values()
    for job in yaml.safe_load(workflow)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
    assert not re.search(r"github\.(head_ref|event\.(pull_request\.(title|body)|issue|comment|head_commit))", workflow)


def test_gitlab_runs_a_job_again_whose_time_was_over() -> None:
    jobs = yaml.safe_load(files("gitlab")[PurePosixPath("ci/pipelines/dance.yml")])
    for job in pipeline().jobs:
        retry = jobs[job.name].get("retry")
        assert retry == ({"max": 2, "exit_codes": [12]} if job.stage is Stage.BUILD else None)


hostile = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\n\r"), min_size=1, max_size=30)
WORDS = [
    "$(touch x)",
    "`id`",
    "'; id; '",
    '"',
    "${{ secrets.A }}",
    "$CI_JOB_TOKEN",
    "a\\",
    "-x",
    "#",
    "%",
    ": ",
    "&a",
    "!ref",
]


@pytest.mark.parametrize("name", list(ENGINES))
@given(word=st.sampled_from(WORDS) | hostile)
def test_any_word_of_a_command_stays_one_word(name: str, word: str) -> None:
    try:
        made = engine(name).render(pipeline(), Site(lode=("lode", word)))
    except Inexpressible:
        assert name == "github"
        assert "${{" in word
        return
    scripts: list[str] = []
    for path, content in made.files.items():
        text = content.decode()
        if path.suffix == ".yml":
            document = yaml.safe_load(text)
            jobs = document["jobs"].values() if name == "github" else document.values()
            for job in jobs:
                if isinstance(job, dict) and "steps" in job:
                    scripts += [step["run"] for step in job["steps"] if "run" in step]
                elif isinstance(job, dict) and "script" in job:
                    scripts += job["script"]
        elif path.suffix == ".sh" and path.name not in ("submit.sh", "task.sh"):
            scripts += [line for line in text.splitlines() if line.startswith("lode ")]
    assert scripts
    for script in scripts:
        for line in script.splitlines() if word.isprintable() else ():
            if line.startswith("lode "):
                assert shlex.split(line)[:2] == ["lode", word]


@pytest.mark.parametrize(
    ("name", "site", "message"),
    [
        (
            "github",
            Site(runner="${{ inputs.x }}"),
            "'${{ inputs.x }}' cannot be said to GitHub, which would read ${{ as its own",
        ),
        ("github", Site(branch="a' || 'b"), "\"a' || 'b\" cannot be said to GitHub, which would read ' as its own"),
        (
            "github",
            Site(prepare=("echo ${{ github.head_ref }}",)),
            "'echo ${{ github.head_ref }}' cannot be said to GitHub",
        ),
        ("gitlab", Site(images={"el9-x86_64": "$X"}), "'$X' cannot be said to GitLab, which would read $ as its own"),
    ],
)
def test_what_an_engine_would_read_as_its_own_is_refused(name: str, site: Site, message: str) -> None:
    with pytest.raises(Inexpressible) as refused:
        engine(name).render(pipeline(), site)
    assert str(refused.value).startswith(message)


def test_an_unknown_engine_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        engine("jenkins")
    assert str(refused.value) == "there is no pipeline for 'jenkins'\n  hint: there are: github, gitlab, condor, slurm"
