"""A runner of GitHub's workflows: each job on a machine of its own, after those it needs, with what GitHub gives it.

A workflow's text is taken as it is: expressions, conditions, matrices, reusable workflows, environments that wait for
approval and have secrets.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from tests.integration.engines import Engine
from tests.integration.expressions import holds, said
from tests.integration.machine import HOME, IMAGE, LINKS, TOKEN, Job, Machine, git, pinned, statuses


@dataclass
class Forge:
    """Repositories, and what their settings say."""

    engine: Engine
    folder: Path  # for what runs leave
    repositories: Mapping[str, Path]  # OWNER/NAME -> a clone
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by the environment that has them
    approved: Sequence[str] = ()  # environments whose jobs may run
    shared: Sequence[Path] = ()  # folders that every machine reaches, such as a store
    environment: Mapping[str, str] = field(default_factory=dict)  # of every machine

    def push(self, repository: str, workflow: str) -> dict[str, Job]:
        """Return what the workflow (a path) does with a push of the main branch."""
        return self.run(repository, workflow, {"event_name": "push", "ref": "refs/heads/main", "ref_name": "main"})

    def request(
        self, repository: str, workflow: str, *, base: str, source: str, title: str, branch: str
    ) -> dict[str, Job]:
        """Return what it does with a pull request from the repository `source`; GitHub has merged it already."""
        pull = {"title": title, "base": {"sha": base}, "head": {"ref": branch, "repo": {"full_name": source}}}
        told = {"event_name": "pull_request", "ref": "refs/pull/7/merge", "ref_name": "7/merge", "head_ref": branch}
        return self.run(repository, workflow, {**told, "event": {"pull_request": pull}})

    def run(self, repository: str, workflow: str, told: Mapping[str, Any]) -> dict[str, Job]:
        """Return what each job of the workflow came to, in the order in which they ran."""
        self._make_image()
        event = {"repository": {"default_branch": "main"}, **told.get("event", {})}
        sha = git(self.repositories[repository], "rev-parse", "HEAD").strip()
        github = {**told, "event": event, "repository": repository, "token": TOKEN, "sha": sha}
        contexts = {"github": github, "vars": self.variables, "runner": {"temp": f"{HOME}/work/_temp", "os": "Linux"}}
        document = yaml.safe_load((self.repositories[repository] / workflow).read_text())
        return Run(self, document, contexts).all()

    def _make_image(self) -> None:
        if self.engine.docker("image", "inspect", IMAGE, check=False).returncode == 0:
            return
        root = self.folder / "image"
        for name in ("dev", "etc", "home", "opt", "proc", "root", "sys", "tmp", "usr", "var/tmp"):
            (root / name).mkdir(parents=True)
        for name in LINKS:
            if os.path.islink(f"/{name}"):
                (root / name).symlink_to(os.readlink(f"/{name}"))
        subprocess.run(["tar", "-C", str(root), "-cf", str(self.folder / "image.tar"), "."], check=True)
        self.engine.docker("import", str(self.folder / "image.tar"), IMAGE)


class Run:
    """One workflow, or a reusable one that a job calls."""

    def __init__(self, forge: Forge, document: Mapping[Any, Any], contexts: Mapping[str, Any], name: str = "") -> None:
        self.forge, self.document, self.contexts, self.name = forge, document, contexts, name
        self.done: dict[str, Job] = {}

    def all(self) -> dict[str, Job]:
        """Return the jobs by name; those of a matrix and of a called workflow by its name and theirs."""
        waiting = dict(self.document["jobs"])
        results: dict[str, str] = {}
        while waiting:
            key = next(key for key, job in waiting.items() if not set(_needs(job)) & set(waiting))
            job = waiting.pop(key)
            before = [results[name] for name in _needs(job)]
            needed = {name: {"result": results[name]} for name in _needs(job)}
            contexts = {**self.contexts, "needs": needed, "env": said(self.document.get("env", {}), self.contexts)}
            if not holds(job.get("if"), contexts, statuses(failed="failure" in before, others=set(before))):
                results[key] = self._done(key, Job("skipped"))
            elif job.get("environment") and job["environment"] not in self.forge.approved:
                results[key] = self._done(key, Job("waiting"))
            else:
                results[key] = self._one(key, job, contexts)
        return self.done

    def _done(self, key: str, job: Job) -> str:
        self.done[f"{self.name}{key}"] = job
        return job.result

    def _one(self, key: str, job: Mapping[str, Any], contexts: Mapping[str, Any]) -> str:
        found = []
        for each in _matrix(job, contexts):
            if "uses" in job:
                found.append(self._called(key, job, each))
            else:
                name = _named(key, each)
                made = Machine(self.forge, self.document, job, each).run(f"{self.name}{name}")
                found.append(self._done(name, made))
        return "success" if set(found) <= {"success", "skipped", "waiting"} else "failure"

    def _called(self, key: str, job: Mapping[str, Any], contexts: Mapping[str, Any]) -> str:
        repository, path, ref = pinned(job["uses"])
        document = yaml.safe_load(git(self.forge.repositories[repository], "show", f"{ref}:{path}"))
        call = document[True]["workflow_call"]  # YAML's `on`
        given = said(job.get("with", {}), contexts)
        unknown = set(given) - set(call["inputs"])
        assert not unknown, f"{job['uses']} has no input {unknown}"
        missing = {name for name, one in call["inputs"].items() if one.get("required")} - set(given)
        assert not missing, f"{job['uses']} wants {missing}"
        inputs = {name: given.get(name, one.get("default")) for name, one in call["inputs"].items()}
        run = Run(self.forge, document, {**self.contexts, "inputs": inputs}, f"{self.name}{key} / ")
        self.done |= run.all()
        return "failure" if "failure" in {one.result for one in run.done.values()} else "success"


def _needs(job: Mapping[str, Any]) -> Sequence[str]:
    needs = job.get("needs", ())
    return (needs,) if isinstance(needs, str) else needs


def _matrix(job: Mapping[str, Any], contexts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the contexts of each job that a matrix makes of one."""
    axes = said(job.get("strategy", {}).get("matrix", {}), contexts)
    for values in itertools.product(*axes.values()):
        yield {**contexts, "matrix": dict(zip(axes, values, strict=True))}


def _named(key: str, contexts: Mapping[str, Any]) -> str:
    values = ", ".join(map(str, contexts["matrix"].values()))
    return f"{key} ({values})" if values else key
