"""What all engines share: commands as lines of sh, and texts that an engine would read as its own."""

from __future__ import annotations

from dataclasses import replace

from lode.errors import UsageError
from lode.rendering.pipeline import Job, Site
from lode.rendering.quoting import shell

UNFINISHED = 12  # the exit status of `lode build` when its time is over: the job is to run again, see errors.Unfinished

SECRETS = ("LODE_KEY_PASSWORD", "LODE_CVMFS_PASSPHRASE")  # what only a trusted job may see

IN_REPOSITORY = 'cd "${LODE_REPOSITORY:?names the folder of the repository with the stack}"'  # first line on a farm


def refuse(text: str, marks: tuple[str, ...], engine: str) -> str:
    """Return `text`; Inexpressible when one of `marks` is in it, with which `engine` begins an expression."""
    for mark in marks:
        if mark in text:
            raise Inexpressible(
                f"{text!r} cannot be said to {engine}, which would read {mark} as its own",
                hint="put it into a script of yours and name that",
            )
    return text


class Inexpressible(UsageError):
    """A text that the engine would take for an expression of its own."""


def lines(job: Job, site: Site) -> tuple[str, ...]:
    """Return the job's commands as lines of sh, every word quoted; what is about the store, only where there is one."""
    said = []
    for words in job.commands:
        line = " ".join(map(shell, (*site.lode, *words[1:])))
        said.append(f'[ -z "${{LODE_STORE:-}}" ] || {line}' if words[1] == "store" else line)
    return tuple(said)


def by_identity(job: Job, site: Site) -> Job:
    """Return the job of a forge whose releases are signed by who it is, where the site says so and it is trusted."""
    if not (site.keyless and job.trusted):
        return job
    signing = tuple(
        (*words, "--key", "sigstore:") if words[1] in ("release", "store") else words for words in job.commands
    )
    return replace(job, commands=signing)


def prepared(job: Job, site: Site) -> tuple[str, ...]:
    """Return the lines that come before the job's own, `{targets}` in them being the targets that the job works for."""
    named = {
        words[place + 1]: None for words in job.commands for place, word in enumerate(words[:-1]) if word == "--target"
    }
    return tuple(line.replace("{targets}", " ".join(map(shell, named))).rstrip() for line in site.prepare)


def script(job: Job, site: Site, header: str) -> bytes:
    """Return the job as a program of sh that stops at the first command that fails, with that one's status.

    It runs in the folder that LODE_REPOSITORY names. A trusted one reads the file that LODE_SECRETS names, so that no
    secret is in the environment of the others. `header` is comment lines, each ended.
    """
    secrets = ('[ -z "${LODE_SECRETS:-}" ] || { set -a; . "$LODE_SECRETS"; set +a; }',) if job.trusted else ()
    body = "\n".join(("set -eu", *secrets, IN_REPOSITORY, *prepared(job, site), *lines(job, site)))
    return f"#!/bin/sh\n{header}# {job.name}: {', '.join(job.packages) or job.stage}\n{body}\n".encode()
