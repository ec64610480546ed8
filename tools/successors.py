"""The source of a newer version: where the newest one of a recipe comes from, with that version in its place.

An address is followed by replacing the version in it, a git repository by the tag of the version. What is served there
is measured; nothing of it is run.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import drafts
from lode import process
from lode.definitions.recipe import Origin, Recipe, Source
from lode.definitions.requirement import ALWAYS
from lode.digest import Digest
from lode.errors import SourceError, UsageError
from lode.progress import Silent
from lode.sourcing import archives, pack, transfer
from lode.sourcing.access import Access, Refused, Retry, Wanted
from lode.sourcing.archives import Limits, Unsound
from lode.sourcing.origins import git
from lode.sourcing.reach import Link, Reach
from lode.watching.places import watched

_BY_HAND = "give --archive and --url"
_ACCESS = Access(retry=Retry(attempts=2))
_TAGS_S = 120.0


def renamed(url: str, old: str, new: str) -> str | None:
    """Return `url` with the version `new` wherever it has `old`, in whatever way it is spelled; None if nowhere.

    The numbers may be separated by `.`, `_` or `-`. Where a folder is called after a series, such as `1.14` of
    `1.14.6`, it is that of `new`.
    """
    pairs = [(old, new)]
    if old.count(".") > 1:
        pairs.append((".".join(old.split(".")[:2]), ".".join(new.split(".")[:2])))
    found = False
    for separator in (".", "_", "-") if "." in old else (".",):
        for before, after in pairs:
            near, text = re.escape(f".{separator}"), re.escape(before.replace(".", separator))
            pattern = rf"(?<![0-9])(?<![0-9][{near}]){text}(?![0-9])(?![{near}][0-9])"
            url, count = re.subn(pattern, after.replace(".", separator).replace("\\", r"\\"), url)
            found |= count > 0 and before == old
    return url if found else None


def source(recipe: Recipe, version: str) -> dict[str, Any]:
    """Return the source of `version` as recipe.yaml says it, with the hash and size of what is served.

    UsageError when the recipe does not tell where another version would be; SourceError when it is not to be had.
    """
    newest = recipe.versions[0]
    if len(newest.sources) != 1 or newest.sources[0].when is not ALWAYS:
        raise UsageError(f"{recipe.name} has several sources: which of them change is not known", hint=_BY_HAND)
    (there,) = newest.sources
    with Reach(_ACCESS, Silent(), threading.Event()) as reach, tempfile.TemporaryDirectory() as folder:
        if there.origins[0].scheme == "git":
            found = _commit(recipe, there.origins[0], version, Path(folder), reach)
        else:
            found = _archive(recipe, there, version, Path(folder) / "archive", reach)
    if found["sha256"] == there.sha256:
        raise SourceError(f"{recipe.name} {version} cannot be had: what is served is {newest.version}")
    return {**found, **_kept(there)}


def _kept(there: Source) -> Mapping[str, Any]:
    """Return what a source says besides where it is and what it is."""
    said = {"directory": there.directory, "subdirectory": there.subdirectory, "unpack": there.unpack}
    return {key: value for key, value in said.items() if value not in ("", True)}


def _archive(recipe: Recipe, there: Source, version: str, path: Path, reach: Reach) -> dict[str, Any]:
    old = recipe.versions[0].version.text
    urls = [renamed(origin.location, old, version) for origin in there.origins if origin.scheme == "url"]
    named = [url for url in urls if url is not None]
    if not named:
        raise UsageError(f"{recipe.name} has no address with the version {old} in it", hint=_BY_HAND)
    refusals = []
    for url in named:
        wanted = Wanted(sha256=Digest("0" * 64), size=None, swhid=None, filename=path.name, task=url)
        try:
            transfer.save(Link(url=url), wanted, path, reach)
            if there.unpack:
                _sound(path)
        except Refused as refused:
            refusals.append(f"{url}: {refused}")
            path.unlink(missing_ok=True)
            continue
        mirrors = [{"url": other} for other in named if other != url]
        return {"url": url, **({"mirrors": mirrors} if mirrors else {}), **drafts.measured(path)}
    raise SourceError(f"{recipe.name} {version} cannot be had: {'; '.join(refusals)}")


def _sound(path: Path) -> None:
    """Raise Refused unless the file is an archive with something in it: a page that says "not found" is none."""
    try:
        with path.open("rb") as file:
            if next(archives.members(file, Limits()), None) is None:
                raise Refused("it serves an empty archive")
    except Unsound as unsound:
        raise Refused(f"it serves no archive: {unsound}") from unsound


def _commit(recipe: Recipe, origin: Origin, version: str, folder: Path, reach: Reach) -> dict[str, Any]:
    given = git.parse(origin.location)
    url, commit = given.url, _tagged(recipe, given.url, version)
    archive = folder / "tree.tar"
    try:
        tree = replace(given, commit=commit).tree(folder, reach)
    except Refused as refused:
        raise SourceError(f"{recipe.name} {version} cannot be had: {url}: {refused}") from refused
    with archive.open("wb") as file:
        pack.pack(tree, file)
    sha256 = drafts.measured(archive)["sha256"]  # a recipe says no size of a tree
    return {"git": f"{url}@{commit}{'+submodules' if given.submodules else ''}", "sha256": sha256}


def _tagged(recipe: Recipe, url: str, version: str) -> str:
    """Return the commit of the tag that means `version`; SourceError when there is none."""
    place = watched(recipe)
    ended = process.run(["git", "ls-remote", "--tags", "--", url], timeout_s=_TAGS_S)
    if ended.status != 0 or place is None:
        said = (ended.stderr.strip() or "git failed").rsplit("\n", 1)[-1]
        raise SourceError(f"{recipe.name} {version} cannot be had: {url}: {said}")
    commits: dict[str, str] = {}
    for line in ended.stdout.splitlines():
        commit, _, ref = line.partition("\t")
        tag = ref.removeprefix("refs/tags/").removesuffix("^{}")  # what an annotated tag stands for comes last
        match = re.fullmatch(place.pattern, tag)
        if match and place.version(match[1]) == version:
            commits[tag] = commit
    if not commits:
        raise SourceError(f"{recipe.name} {version} cannot be had: {url} has no tag for it")
    return commits[min(commits)]
