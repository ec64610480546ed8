"""One job of a GitHub workflow on a machine of its own: a container that sees this machine's operating system.

It sees that and this machine's Python read-only, its own home, and what the forge shares. Steps are run as they are,
with the files that they write variables and outputs to, and composite actions; a checkout and an upload are done here.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from tests.integration.expressions import as_text, holds, said

if TYPE_CHECKING:
    from tests.integration.actions import Forge

IMAGE = "localhost/machine:1"
HOME = "/home/runner"
TOKEN = "the-token-of-the-run"
_SETTINGS = ("PIP_", "SSL_", "REQUESTS_", "CURL_")  # of pip's and what else it takes to reach its index
LINKS = ("bin", "lib", "lib64", "sbin")


@dataclass
class Job:
    """What became of a job."""

    result: str  # as `needs.JOB.result`, or "waiting" for an environment that nobody has approved
    log: str = ""
    summary: str = ""
    artifacts: dict[str, list[str]] = field(default_factory=dict)  # name -> files, relative to the workspace
    workspace: Path = Path()


class Machine:
    """A fresh machine for one job: a container, and a home below the forge's folder."""

    def __init__(
        self, forge: Forge, document: Mapping[Any, Any], job: Mapping[str, Any], contexts: Mapping[str, Any]
    ) -> None:
        self.forge, self.document, self.job = forge, document, job
        secrets = self.forge.secrets.get(job.get("environment", ""), {})
        self.contexts: dict[str, Any] = {**contexts, "secrets": secrets, "steps": {}}
        self.github = contexts["github"]
        self.added: dict[str, str] = {}  # by GITHUB_ENV
        self.paths: list[str] = []  # by GITHUB_PATH
        self.log: list[str] = []
        self.failed = False

    def run(self, name: str) -> Job:
        """Return what the job came to."""
        place = re.sub(r"[^A-Za-z0-9]+", "-", name)
        number = next(number for number in itertools.count() if not (self.forge.folder / f"{place}-{number}").exists())
        self.home = self.forge.folder / f"{place}-{number}"
        own = self.github["repository"].rpartition("/")[2]
        self.work = f"{HOME}/work/{own}/{own}"
        self.workspace = self._here(self.work)
        for folder in (self.workspace, self._here(f"{HOME}/work/_temp/_runner")):
            folder.mkdir(parents=True)
        job = Job("success", workspace=self.workspace)
        self.container = self.forge.engine.docker(
            "run", "--detach", *self._options(), IMAGE, "sleep", "inf"
        ).stdout.strip()
        try:
            for number, step in enumerate(self.job["steps"]):
                self.contexts["env"] = {**self._environment(), **self.added}
                status = statuses(failed=self.failed, others=set())
                if holds(step.get("if"), self.contexts, status):
                    self.failed |= not self._step(step, f"{number}", job)
        finally:
            self.forge.engine.docker("rm", "--force", self.container)
        job.result = "failure" if self.failed else "success"
        job.log = "".join(self.log)
        return job

    def _here(self, path: str) -> Path:
        return self.home / Path(path).relative_to(HOME)

    def _options(self) -> Iterator[str]:
        """Yield how the container is made: it may begin namespaces, as a whole machine may, and has pip's network."""
        yield from ("--cap-add=SYS_ADMIN", "--cap-add=NET_ADMIN", "--network=host", "--tmpfs=/tmp:exec")
        yield from (f"--security-opt={one}=unconfined" for one in ("seccomp", "apparmor", "systempaths"))
        yield f"--volume={self.home}:{HOME}"
        for folder in _machine():
            yield f"--volume={folder}:{folder}:ro"
        for shared in self.forge.shared:
            shared.mkdir(parents=True, exist_ok=True)
            yield f"--volume={shared}:{shared}"

    def _environment(self) -> dict[str, str]:
        """Return what a step of the job finds in its environment before its own variables."""
        settings = {key: value for key, value in os.environ.items() if key.startswith(_SETTINGS)}
        asked = said({**self.document.get("env", {}), **self.job.get("env", {})}, self.contexts)
        return {
            **settings,
            "HOME": HOME,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": self.work,
            "GITHUB_REPOSITORY": self.github["repository"],
            "GITHUB_SHA": self.github["sha"],
            "GITHUB_REF": self.github["ref"],
            "GITHUB_EVENT_NAME": self.github["event_name"],
            "GITHUB_HEAD_REF": self.github.get("head_ref", ""),
            "RUNNER_TEMP": f"{HOME}/work/_temp",
            "RUNNER_OS": "Linux",
            **self.forge.environment,
            **{key: as_text(value) for key, value in asked.items()},
        }

    def _step(self, step: Mapping[str, Any], number: str, job: Job, inputs: Mapping[str, Any] | None = None) -> bool:
        uses = step.get("uses", "")
        if "run" in step:
            return self._script(step, number, job, inputs)
        if uses.startswith("actions/checkout@"):
            return self._checkout(said(step.get("with", {}), self.contexts))
        if uses.startswith("actions/upload-artifact@"):
            return self._upload(said(step["with"], self.contexts), job)
        return self._composite(step, number, job)

    def _script(self, step: Mapping[str, Any], number: str, job: Job, inputs: Mapping[str, Any] | None) -> bool:
        contexts = {**self.contexts, **({"inputs": inputs} if inputs is not None else {})}
        files = {
            name: f"{HOME}/work/_temp/_runner/{name}-{number}" for name in ("ENV", "PATH", "OUTPUT", "STEP_SUMMARY")
        }
        for file in files.values():
            self._here(file).touch()
        script = f"{HOME}/work/_temp/_runner/{number}.sh"
        self._here(script).write_text(as_text(said(step["run"], contexts)))
        own = {key: as_text(value) for key, value in said(step.get("env", {}), contexts).items()}
        environment = {
            **self._environment(), **self.added, **own,
            "PATH": ":".join((*reversed(self.paths), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")),
            **{f"GITHUB_{name}": file for name, file in files.items()},
        }  # fmt: skip
        words = [word for key, value in environment.items() for word in ("--env", f"{key}={value}")]
        shell = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script]
        ended = self.forge.engine.docker("exec", *words, "--workdir", self.work, self.container, *shell, check=False)
        self.log.append(f"## {step.get('name', number)}\n{ended.stdout}{ended.stderr}")
        self.added |= _assigned(self._here(files["ENV"]).read_text())
        self.paths += self._here(files["PATH"]).read_text().splitlines()
        job.summary += self._here(files["STEP_SUMMARY"]).read_text()
        if "id" in step:
            outputs = _assigned(self._here(files["OUTPUT"]).read_text())
            self.contexts["steps"] = {**self.contexts["steps"], step["id"]: {"outputs": outputs}}
        return ended.returncode == 0

    def _checkout(self, given: Mapping[str, Any]) -> bool:
        """Lay a repository down as actions/checkout does: one commit unless more are asked for, and no branch."""
        assert given["persist-credentials"] is False
        source = self.forge.repositories[given.get("repository", self.github["repository"])]
        commit = given.get("ref", self.github["sha"])
        place = self.workspace / given.get("path", "")
        git(self.forge.folder, "init", "--quiet", str(place))
        depth = [] if given.get("fetch-depth") == 0 else ["--depth=1"]
        git(place, "fetch", "--quiet", *depth, f"file://{source.resolve()}", commit)
        git(place, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        return True

    def _upload(self, given: Mapping[str, Any], job: Job) -> bool:
        files: list[str] = []
        for pattern in given["path"].split():
            root = self._here(HOME) if pattern.startswith("/") else self.workspace
            relative = pattern.removeprefix(f"{HOME}/")
            found = [
                path for top in root.glob(relative) for path in ((top, *top.rglob("*")) if top.is_dir() else (top,))
            ]
            hidden = given.get("include-hidden-files")
            files += [
                str(path.relative_to(root)) for path in found
                if path.is_file() and (hidden or not any(part.startswith(".") for part in path.relative_to(root).parts))
            ]  # fmt: skip
        job.artifacts[given["name"]] = sorted(files)
        self.log.append(f"## upload {given['name']}: {len(files)} files\n")
        return bool(files) or given.get("if-no-files-found") != "error"

    def _composite(self, step: Mapping[str, Any], number: str, job: Job) -> bool:
        """Run the steps of an action of our own, at the commit that it is asked for at."""
        repository, path, ref = pinned(step["uses"])
        place = f"{HOME}/work/_actions/{repository}/{ref}"
        if not self._here(place).exists():
            git(
                self.forge.folder,
                "clone",
                "--quiet",
                "--no-checkout",
                str(self.forge.repositories[repository]),
                str(self._here(place)),
            )
            git(self._here(place), "checkout", "--quiet", "--detach", ref)
        action = yaml.safe_load((self._here(place) / path / "action.yml").read_text())
        given = said(step.get("with", {}), self.contexts)
        assert set(given) <= set(action["inputs"]), step["uses"]
        inputs = {name: given.get(name, one.get("default")) for name, one in action["inputs"].items()}
        self.contexts["github"] = {**self.github, "action_path": f"{place}/{path}"}
        return all(
            self._step(one, f"{number}-{inner}", job, inputs) for inner, one in enumerate(action["runs"]["steps"])
        )


def pinned(text: str) -> tuple[str, str, str]:
    """Return repository, path in it, and commit."""
    match = re.fullmatch(r"([\w.-]+/[\w.-]+)/([\w./-]+)@([0-9a-f]{40})", text)
    assert match is not None, f"{text} is not pinned by a commit"
    return match[1], match[2], match[3]


def statuses(*, failed: bool, others: set[str]) -> dict[str, Any]:
    """Return the functions that ask how what came before has ended: this job's steps, or `others` that it needs."""
    return {
        "success": lambda: not failed and others <= {"success"},
        "failure": lambda: failed,
        "always": lambda: True,
        "cancelled": lambda: False,
    }


def _assigned(text: str) -> dict[str, str]:
    """Return what a file of GITHUB_ENV or GITHUB_OUTPUT sets: `name=value`, or `name<<MARK` and lines until it."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, sign, rest = re.fullmatch(r"([^=<]+)(=|<<)(.*)", line).groups()  # type: ignore[union-attr]
        found[name] = rest if sign == "=" else "\n".join(itertools.takewhile(lambda one, end=rest: one != end, lines))
    return found


def _machine() -> list[str]:
    """Return the folders that are this machine's operating system, and the Python that runs Lode with its modules."""
    tops = [f"/{name}" for name in LINKS if os.path.isdir(f"/{name}") and not os.path.islink(f"/{name}")]
    python = sorted({sys.prefix, sys.base_prefix, *(path for path in sys.path if os.path.isdir(path))})
    found: list[str] = []
    for folder in ("/usr", "/etc", "/opt", "/var/lib/dpkg", *tops, *python):
        if os.path.isabs(folder) and not any(Path(folder).is_relative_to(other) for other in found):
            found.append(folder)
    return found


def git(folder: Path, *words: str) -> str:
    """Return what git prints."""
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "uploadpack.allowAnySHA1InWant=true"]
    program = shutil.which("git") or "git"
    ended = subprocess.run([program, "-C", str(folder), *settings, *words], check=True, capture_output=True, text=True)
    return ended.stdout
