"""A bump as a branch: the recipe with the new version and its hashes, and the locks of the stacks that take it.

The work is done in a work tree of its own, which is gone afterwards; the branch is made last, so one that is there is
complete. What adds a version to a recipe is the collection's own tools/bump_recipe.py.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lode import process, scratch
from lode.errors import HostError, LodeError, SourceError, UsageError
from lode.progress import Progress
from lode.workflow.outdated import Newer

BUMP = Path("tools", "bump_recipe.py")
_AUTHOR = ("-c", "user.name=lode", "-c", "user.email=lode@localhost", "-c", "commit.gpgsign=false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What became of one bump."""

    package: str
    version: str
    branch: str
    made: bool  # False: the branch was there
    problem: str = ""  # why there is no branch


def propose(
    repository: Path, newer: Sequence[Newer], stacks: Sequence[str], *, progress: Progress
) -> tuple[Proposal, ...]:
    """Return what became of each bump in the git repository at `repository`; `stacks` are the names to lock again.

    UsageError when it is no repository, or has no tool that bumps a recipe.
    """
    if _git(repository, "rev-parse", "--git-dir").status != 0:
        raise UsageError(f"{repository} is no git repository", hint="--propose writes branches: git init")
    if not (repository / BUMP).is_file():
        raise UsageError(f"{repository} has no {BUMP}", hint="call it in the collection that has the recipes")
    done = []
    for one in newer:
        branch = f"bump/{one.package}-{one.upstream}"
        if _git(repository, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}").status == 0:
            done.append(Proposal(package=one.package, version=one.upstream, branch=branch, made=False))
            continue
        progress.note(f"{one.package} {one.upstream}: {branch}")
        try:
            _branch(repository, one, branch, stacks)
        except LodeError as error:
            problem = error.faults[0].message
            done.append(Proposal(package=one.package, version=one.upstream, branch=branch, made=False, problem=problem))
        else:
            done.append(Proposal(package=one.package, version=one.upstream, branch=branch, made=True))
    return tuple(done)


def _branch(repository: Path, one: Newer, branch: str, stacks: Sequence[str]) -> None:
    with scratch.folder("bump") as folder:
        tree = folder / "tree"
        _sure(_git(repository, "worktree", "add", "--quiet", "--detach", str(tree), "HEAD"))
        try:
            bump = [sys.executable, str(tree / BUMP), one.package, one.upstream, "--collection", str(tree)]
            said = _sure(process.run(bump, cwd=tree))
            left = [line for line in said.splitlines() if line.startswith("left out: ")]
            locked = [line for stack in stacks for line in _lock(tree, stack, one)]
            body = "\n".join((f"Upstream: {one.where}", *left, *locked))
            _sure(_git(tree, "add", "--all"))
            subject = f"{one.package}: bump to {one.upstream}"
            _sure(_git(tree, *_AUTHOR, "commit", "--quiet", "-m", subject, "-m", body))
            _sure(_git(tree, "branch", branch, "HEAD"))
        finally:
            _git(repository, "worktree", "remove", "--force", str(tree))


def _lock(tree: Path, stack: str, one: Newer) -> list[str]:
    """Lock `stack` again and return what to say of it: the change, or why it keeps its lock."""
    words = [sys.executable, "-m", "lode", "lock", stack, "--update", one.package, "--quiet"]
    ended = process.run(words, cwd=tree)
    if ended.status != 0:
        reason = (ended.stderr.strip() or "no reason").split("\n", 1)[0]
        return [f"{stack} keeps its lock: {reason}"]
    return [line for line in ended.stdout.splitlines() if line.strip()]


def _git(folder: Path, *words: str) -> process.Completed:
    return process.run(["git", "-C", str(folder), *words])


def _sure(ended: process.Completed) -> str:
    """Return what the program printed; raise SourceError with the last line that is no hint unless it succeeded."""
    if ended.status == 0:
        return ended.stdout
    said = ended.stderr.strip() or ended.stdout.strip() or f"status {ended.status}"
    last = [line for line in said.splitlines() if not line.startswith(" ")][-1]
    if "git" in ended.argv[0]:
        raise HostError(f"git: {last}")
    raise SourceError(last.removeprefix("bump_recipe: "))
