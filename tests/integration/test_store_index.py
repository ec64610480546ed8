"""A store's signed index over a web server and a bucket, and the jobs of a rendered pipeline that read by it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from tests.integration.building import Collection, collection
from tests.integration.test_pipelines import GITLAB, entries, machine, render, repository
from tests.integration.test_sharing import CACHED, bucket, outcomes, web

__all__ = ["bucket", "collection", "repository", "web"]

pytestmark = pytest.mark.integration

SECRET = {"LODE_KEY_PASSWORD": "correct horse"}


def account(endpoint: str) -> dict[str, str]:
    """Return what the environment needs for the bucket."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }


@pytest.fixture(params=["web", "bucket"])
def store(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the variables that name a store over the network, and open it."""
    if request.param == "web":
        return {"LODE_STORE": f"{request.getfixturevalue('web')}/open/lode"}
    return {"LODE_STORE": "s3://shared/lode", **account(request.getfixturevalue("bucket"))}


def own_key(collection: Collection, home: Path) -> None:
    """Make the key of the machine with this home, and the collection's policy that trusts it."""
    for words in (["keys", "init"], ["keys", "export", "-o", str(collection.root / "release.pub")]):
        ended = collection.lode(*words, LODE_HOME=str(home), **SECRET)
        assert ended.returncode == 0, ended.stderr
    policy = {
        "name": "tiny",
        "expires": "2099-01-01",
        "keys": {"release": {"public": (collection.root / "release.pub").read_text()}},
        "rules": [{"sign": ["store"], "stacks": ["tiny"], "keys": ["release"]}],
    }
    (collection.root / "trust.yaml").write_text(yaml.safe_dump(policy))


def forget(variables: dict[str, str], key: str) -> None:
    """Take a blob out of the store, as who runs it can."""
    if variables["LODE_STORE"].startswith("s3://"):
        import boto3

        client = boto3.client(
            "s3", endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
            aws_access_key_id="a", aws_secret_access_key="b",
        )  # fmt: skip
        client.delete_object(Bucket="shared", Key=f"lode/{key}")
    else:
        ended = httpx.delete(f"{variables['LODE_STORE']}/{key}")
        assert ended.status_code == 204, ended.text


def test_what_was_signed_is_taken_over_the_network_and_a_replayed_index_is_refused(
    collection: Collection, store: dict[str, str], tmp_path: Path
) -> None:
    collection.waves()
    home = tmp_path / "publisher"
    own_key(collection, home)
    by = ["--store-policy", str(collection.root / "trust.yaml")]
    sign = ["store", "sign", "tiny", "--json"]
    assert outcomes(collection, home, "--only", "wave", **store) == {"wave": "built"}
    first = json.loads(collection.lode(*sign, LODE_HOME=str(home), **store, **SECRET).stdout)
    assert (first["sequence"], first["nodes"]) == (1, 1)
    assert outcomes(collection, tmp_path / "stranger", **store) == {"reader": "built", "wave": "cached"}
    reader = tmp_path / "reader"
    assert outcomes(collection, reader, "--only", "wave", *by, **store) == {"wave": "cached"}
    # what a stranger put there and nobody signed is built, not taken
    assert outcomes(collection, tmp_path / "careful", *by, **store) == {"reader": "built", "wave": "cached"}

    collection.build(LODE_HOME=str(home), **store)
    second = json.loads(collection.lode(*sign, LODE_HOME=str(home), **store, **SECRET).stdout)
    assert (second["sequence"], second["nodes"]) == (2, 2)
    assert outcomes(collection, reader, *by, **store) == CACHED
    verify = ["store", "verify", "tiny", *by]
    ended = collection.lode(*verify, LODE_HOME=str(reader), **store)
    assert ended.returncode == 0, ended.stderr
    assert "the store's packages of tiny@1 (2) are those that were signed" in ended.stdout

    forget(store, second["key"])  # the first index is the newest that is offered now
    ended = collection.lode(*verify, LODE_HOME=str(reader), **store)
    assert (ended.returncode, ended.stderr.splitlines()[0]) == (
        13,
        "the store has no index 2 of tiny@1, which was there before",
    )
    shutil.rmtree(reader / "cache" / "nodes")
    report = collection.lode("build", "tiny", *by, LODE_HOME=str(reader), **store)
    assert report.returncode == 0
    assert "the store has no index 2 of tiny@1, which was there before: going on without the store" in report.stderr


def jobs(farm: Path) -> list[str]:
    """Return the jobs of a DAG in an order in which each comes after what it waits for."""
    lines = (farm / "tiny.dag").read_text().splitlines()
    return [line.split()[1] for line in lines if line.startswith("JOB ")]


def run(repository: Collection, farm: Path, job: str, attempt: str, **variables: str) -> str:
    """Run the program of a job on a fresh machine, and return what it said."""
    environment = machine(repository, f"{attempt}-{job}") | {"LODE_REPOSITORY": str(repository.root)}
    ended = subprocess.run(
        [str(farm / "jobs" / f"{job}.sh")], env=environment | variables, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def built(repository: Collection, attempt: str) -> int:
    """Return how many nodes the machines of an attempt have built: each keeps how long one took."""
    files = repository.home.glob(f"{attempt}-*/lode/cache/times.jsonl")
    return sum(len(file.read_text().splitlines()) for file in files)


def test_jobs_of_a_pipeline_build_each_node_once_though_the_store_is_not_believed(
    repository: Collection, tmp_path: Path
) -> None:
    own_key(repository, tmp_path / "publisher")
    farm = repository.root / "farm"
    render(repository, "condor", farm)
    publish = farm / "jobs" / "publish.sh"
    lines = publish.read_text().splitlines(keepends=True)
    publish.write_text("".join(line for line in lines if " lode publish " not in line))  # that is not this test's

    for job in jobs(farm)[:-1]:
        said = run(repository, farm, job, "first")
        assert ("the store has no signed index of tiny@1: only what this run has built" in said) == (job != "check")
    home = repository.home / "first-publish" / "lode"
    shutil.copytree(tmp_path / "publisher" / "keys", home / "keys")
    said = run(repository, farm, "publish", "first", **SECRET)
    assert "signed the index of tiny@1 (1)\n  nodes        2, 2 of them new" in said
    assert (built(repository, "first"), entries(repository)) == (2, 2)
    lists = repository.root / "lode-built"
    assert len(list(lists.iterdir())) == 2

    shutil.rmtree(lists)  # another run: only what was signed counts
    for job in jobs(farm)[:-1]:
        assert "warning: the store" not in run(repository, farm, job, "second")
    assert built(repository, "second") == 0
    assert not lists.exists()


def test_lists_of_a_run_pass_between_the_jobs_of_a_runner_of_gitlab(repository: Collection, tmp_path: Path) -> None:
    if not GITLAB.exists():
        pytest.skip("gitlab-ci-local is not installed: npm ci in ci/node")
    own_key(repository, tmp_path / "publisher")
    with (repository.root / ".gitignore").open("a") as file:
        file.write("/lode-built/\n")
    apart = 'export LODE_HOME="$HOME/first-$CI_JOB_NAME/lode"'  # a machine for each job
    render(repository, "gitlab", repository.root, "--prepare", apart)
    ended = subprocess.run(
        [str(GITLAB), "--shell-executor-no-image", "--shell-isolation"],
        cwd=repository.root,
        env=machine(repository, "") | {"HOME": str(repository.home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    assert "the store has no signed index of tiny@1: only what this run has built" in said
    assert (built(repository, "first"), entries(repository)) == (2, 2), said
