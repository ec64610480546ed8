"""A release as jobs of a CI service or a batch farm: what runs where, after what, for how long.

`plan` cuts the graph of a lock into jobs once; each module of `ENGINES` writes the same jobs in the words of its
engine. All of it is pure: the same lock, estimates and limits give the same files. What one job hands to the next is
artifacts in a shared store, so a job that was stopped is run again and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, cast

from lode.errors import UsageError
from lode.tree import FileTree

# name -> (module, one line about what it writes)
ENGINES: dict[str, tuple[str, str]] = {
    "github": ("lode.rendering.pipeline.github", "a workflow of GitHub Actions"),
    "gitlab": ("lode.rendering.pipeline.gitlab", "a pipeline of GitLab CI, and the parent that starts it"),
    "condor": ("lode.rendering.pipeline.condor", "a DAG of HTCondor's DAGMan with its submit file"),
    "slurm": ("lode.rendering.pipeline.slurm", "job arrays of Slurm, and the script that submits them"),
}


class Stage(StrEnum):
    """What a job is for; a gate: no job of a stage starts before those of the stages that it needs have succeeded."""

    CHECK = "check"
    BUILD = "build"
    TEST = "test"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work on one machine: commands in their order, each a list of words that begins with `lode`."""

    name: str  # of letters, digits, `-`, `_` and `.`
    stage: Stage
    target: str | None  # None: any machine
    needs: tuple[str, ...]  # names of jobs, sorted
    commands: tuple[tuple[str, ...], ...]
    minutes: float  # that it will take
    memory_mb: int
    disk_mb: int
    packages: tuple[str, ...] = ()  # that a build job is there for, in build order
    trusted: bool = False  # it publishes: only it sees secrets, and it never runs for a stranger's change
    keeps: tuple[str, ...] = ()  # paths that are kept as the job's result
    hands: str | None = None  # a folder whose files it takes over from the jobs before it, and hands to those behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one job may use."""

    minutes: float
    disk_mb: int
    cores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The jobs of a release, each after those that it needs."""

    stack: str
    release: str
    lock_digest: str
    limits: Limits
    jobs: tuple[Job, ...]
    guessed: tuple[str, ...]  # packages whose time was guessed from their size, sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is special to the place where a pipeline runs. None of it comes from the lock."""

    lode: tuple[str, ...] = ("lode",)  # the words that the command begins with
    prepare: tuple[str, ...] = ()  # lines of sh for a fresh machine; `{targets}` are those that a job is for
    images: Mapping[str, str] = field(default_factory=dict)  # target -> image by digest that its jobs run in
    runner: str = "ubuntu-24.04"  # label of the machines
    branch: str = "main"  # the one that publishes
    keyless: bool = False  # the job that publishes signs by its identity, see docs/how-to/keyless.md


class Engine(Protocol):
    """What the modules of `ENGINES` offer."""

    def render(self, pipeline: Pipeline, site: Site) -> FileTree:
        """Return the files of `pipeline` in the engine's own format; `Inexpressible` names what it cannot say."""


def engine(name: str) -> Engine:
    """Return the engine called `name`; UsageError when there is none."""
    from importlib import import_module

    if name not in ENGINES:
        raise UsageError(f"there is no pipeline for {name!r}", hint=f"there are: {', '.join(ENGINES)}")
    return cast("Engine", import_module(ENGINES[name][0]))
