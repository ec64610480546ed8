"""The newest releases upstream: projects of Python indexes through pip's settings, all else through nvchecker.

nvchecker (https://nvchecker.readthedocs.io) runs as a program with a file of what to look at, and prints JSON lines.
Tags are read with git itself, so a forge's limits on its API do not count, and git's settings hold.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

from lode import process, scratch
from lode.errors import HostError
from lode.progress import Progress
from lode.sourcing.access import Access, Refused
from lode.sourcing.reach import Reach
from lode.watching.places import Kind, Watched

_AT_ONCE = 8
_LONGEST_S = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a place said: a version, or why it said none."""

    watched: Watched
    version: str | None
    silence: str = ""


def ask(places: Iterable[Watched], *, access: Access, progress: Progress) -> tuple[Answer, ...]:
    """Return an answer for each place, sorted by package; what cannot be reached is an answer too."""
    asked = sorted(places, key=lambda one: one.package)
    indexed = [one for one in asked if one.kind is Kind.INDEX]
    others = [one for one in asked if one.kind is not Kind.INDEX]
    found: list[Answer] = []
    task = "upstream releases"
    progress.start(task, total=len(asked), unit="projects")
    with Reach(access, progress, threading.Event()) as reach, ThreadPoolExecutor(_AT_ONCE) as pool:
        for answer in pool.map(lambda one: _index(one, reach), indexed):
            found.append(answer)
            progress.advance(task, 1)
    found += _checked(others)
    progress.finish(task)
    return tuple(sorted(found, key=lambda one: one.watched.package))


def _index(one: Watched, reach: Reach) -> Answer:
    from lode.sourcing.origins import pypi

    versions = []
    try:
        for file, _ in pypi.listed(one.where, reach):
            try:
                number = PythonVersion(file.version or "")
            except InvalidVersion:
                continue
            if not file.is_yanked and not number.is_prerelease:
                versions.append((number, file.version))
    except Refused as refused:
        return Answer(watched=one, version=None, silence=str(refused))
    if not versions:
        return Answer(watched=one, version=None, silence=f"no index has a release of {one.where}")
    return Answer(watched=one, version=max(versions)[1])


def config(places: Sequence[Watched]) -> str:
    """Return nvchecker's configuration (TOML) for `places`: sections by package."""
    lines = ["[__config__]", "http_timeout = 30", ""]
    for one in places:
        lines.append(f"[{json.dumps(one.package)}]")
        if one.kind is Kind.TAGS:
            # the greatest tag by what its pattern takes for the version
            lines += ['source = "git"', f"git = {json.dumps(one.where)}", f"include_regex = {json.dumps(one.pattern)}"]
            lines += [f"from_pattern = {json.dumps(f'^{one.pattern}$')}", r'to_pattern = "\\1"']
        elif one.kind is Kind.DEBIAN:
            lines += ['source = "debianpkg"', f"debianpkg = {json.dumps(one.where)}", "strip_release = true"]
        else:
            lines += ['source = "regex"', f"url = {json.dumps(one.where)}", f"regex = {json.dumps(one.pattern)}"]
        lines.append("")
    return "\n".join(lines)


def _checked(places: Sequence[Watched]) -> list[Answer]:
    """Return what nvchecker finds; HostError when it does not run."""
    if not places:
        return []
    with scratch.folder("nvchecker") as folder:
        file = folder / "nvchecker.toml"
        file.write_text(config(places), encoding="utf-8")
        words = [sys.executable, "-m", "nvchecker", "-c", str(file), "--logger", "json"]
        ended = process.run(words, timeout_s=_LONGEST_S)
    if ended.status != 0:
        last = (ended.stderr.strip() or "nothing").rsplit("\n", 1)[-1]
        raise HostError(f"nvchecker ended with status {ended.status}: {last}", hint="`pip install nvchecker`")
    versions, silences = _read(ended.stdout)
    return [
        Answer(
            watched=one,
            version=one.version(versions[one.package]) if one.package in versions else None,
            silence=silences.get(one.package, "it names no release"),
        )
        for one in places
    ]


def _read(lines: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    versions: dict[str, str] = {}
    silences: dict[str, str] = {}
    for line in lines.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        name = said.get("name")
        if said.get("version"):
            versions[name] = said["version"]
        elif said.get("level") in ("warning", "error"):
            silences.setdefault(name, _short(str(said.get("error") or said.get("event"))))
    return versions, silences


def _short(text: str) -> str:
    return re.sub(r"^(?:fatal: |HTTP 599: )(?:unable to access '[^']*': )?", "", text.strip().split("\n", 1)[0])[:200]
