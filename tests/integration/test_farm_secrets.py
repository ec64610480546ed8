"""Secrets on batch farms: none in the environment of a job that builds, whatever the submitter's has."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.integration.building import Collection, collection
from tests.integration.condor import Pool, pool, programs
from tests.integration.slurm import slurm
from tests.integration.test_pipelines import machine, render, repository
from tests.integration.waiting import wait_for

__all__ = ["collection", "pool", "programs", "repository", "slurm"]

pytestmark = pytest.mark.integration

MINE = {"LODE_KEY_PASSWORD": "sesame-one", "LODE_CVMFS_PASSPHRASE": "sesame-two"}


def farm_of(repository: Collection, engine: str) -> Path:
    """Return a rendered farm whose programs write down their environment in place of calling Lode."""
    farm = repository.root / "farm"
    render(repository, engine, farm)
    for file in farm.glob("*/*.sh"):
        lines = [line for line in file.read_text().splitlines() if " lode " not in line or line.startswith("#")]
        (job,) = (
            line.split()[1].rstrip(":")
            for line in lines
            if line.startswith(("# check:", "# build-", "# test-", "# publish:"))
        )
        file.write_text("\n".join([*lines, f'env >"$HOME/{job}.env"', ""]))
    return farm


def environment(repository: Collection, more: Mapping[str, str]) -> dict[str, str]:
    """Return the submitter's environment: the secrets are in it, and others in a file."""
    secrets = repository.home / "secrets"
    secrets.parent.mkdir(exist_ok=True)
    secrets.write_text("LODE_KEY_PASSWORD=sesame-three\nLODE_CVMFS_PASSPHRASE=sesame-four\n")
    secrets.chmod(0o600)
    named = {"LODE_REPOSITORY": str(repository.root), "LODE_SECRETS": str(secrets)}
    return machine(repository, "farm") | named | MINE | dict(more)


def seen(repository: Collection) -> dict[str, set[str]]:
    """Return the secrets in the environment of each job that has run."""
    return {
        file.stem.partition("-")[0]: {
            word.partition("=")[2] for word in file.read_text().splitlines() if "=sesame" in word
        }
        for file in (repository.home / "farm").glob("*.env")
    }


ONLY_PUBLISH = {"check": set(), "build": set(), "test": set(), "publish": {"sesame-three", "sesame-four"}}


def test_only_the_job_of_htcondor_that_publishes_has_secrets_and_the_queue_has_none(
    repository: Collection, pool: Pool
) -> None:
    farm = farm_of(repository, "condor")
    own = environment(repository, {})
    ended = pool.run("condor_submit_dag", "tiny.dag", environment=own, folder=farm)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = pool.run("condor_q", "-long", environment=own, folder=farm).stdout
    assert "LODE_REPOSITORY" in told
    assert "sesame" not in told
    wait_for((farm / "tiny.dag.metrics").is_file, lambda: (farm / "tiny.dag.dagman.out").read_text()[-2000:])
    assert seen(repository) == ONLY_PUBLISH
    assert "sesame" not in pool.run("condor_history", "-long", environment=own, folder=farm).stdout


def test_only_the_job_of_slurm_that_publishes_has_secrets(repository: Collection, slurm: dict[str, str]) -> None:
    farm = farm_of(repository, "slurm")
    own = environment(repository, slurm)
    subprocess.run(["sh", str(farm / "submit.sh")], env=own, check=True, timeout=60, capture_output=True)

    def over() -> bool:
        return not subprocess.run(["squeue", "--noheader"], env=own, check=True, capture_output=True).stdout.strip()

    wait_for(over, lambda: str(seen(repository)))
    assert seen(repository) == ONLY_PUBLISH
