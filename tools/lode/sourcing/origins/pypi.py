"""Files of Python package indexes, through the indexes that this machine's pip is set up with.

Only the simple repository API is read (PEP 503, 691; `pypi-simple` parses it): `pip download` would run the build
system of an sdist to look at its metadata, before anybody has checked a hash. pip itself says which indexes, links,
certificates and proxy hold, so its files, environment and defaults keep their meaning.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import canonicalize_name

from lode import process
from lode.errors import HostError
from lode.sourcing import transfer
from lode.sourcing.access import Refused, Wanted, redacted
from lode.sourcing.origins.way import Way, at
from lode.sourcing.reach import Link, Reach

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

_LOCATION = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^/\s]+)(?:/([^/\s]+))?\Z")
_SETTING = re.compile(r"([^.\s]+)\.([a-z-]+)=(.*)\Z")
_SECTIONS = ("global", "download", ":env:")  # each overrules those before it
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where pip looks, in its order, and how it reaches those places."""

    links: tuple[str, ...]  # folders, pages of links
    indexes: tuple[str, ...]
    ca_file: str | None = None
    proxy: str | None = None
    trusted_hosts: tuple[str, ...] = ()

    def link(self, url: str) -> Link:
        """Return how to reach `url`; credentials of the index it comes from hold for its host."""
        parts = urlsplit(url)
        if "@" not in parts.netloc:
            for index in self.indexes:
                there = urlsplit(index)
                if "@" in there.netloc and there.netloc.rpartition("@")[2] == parts.netloc:
                    url = parts._replace(netloc=there.netloc).geturl()
        trusted = bool({parts.hostname, parts.netloc.rpartition("@")[2]} & set(self.trusted_hosts))
        return Link(url=url, ca_file=self.ca_file, proxy=self.proxy, trusted=trusted)


def ways(location: str, wanted: Wanted, reach: Reach) -> Iterator[Way]:
    """Yield the ways to the file in each place that pip looks in; Refused, with each answer, when none has it."""
    match = _LOCATION.match(location)
    if not match:
        raise Refused(f"{location!r} is not of the form project==version/file")
    project, version, file = match.groups()
    settings = reach.once("pip settings", lambda: parse(_pip_config()))
    refusals: list[str] = []
    found = False
    for place in (
        *settings.links,
        *(f"{index.rstrip('/')}/{canonicalize_name(project)}/" for index in settings.indexes),
    ):
        try:
            url = _choose(_files(place, project, settings, reach), version, file, wanted)
        except Refused as refused:
            refusals.append(f"{redacted(place)}: {refused}")
            continue
        found = True
        yield at(url, link=settings.link(url))
    if not found:
        raise Refused("; ".join(refusals) or "pip is set up to look nowhere")


def listed(project: str, reach: Reach) -> Iterator[tuple[DistributionPackage, Link]]:
    """Yield each file of `project` that pip's places name, and how to reach it; Refused when no place has the project.

    A file that several places name comes once, from the first.
    """
    settings = reach.once("pip settings", lambda: parse(_pip_config()))
    seen: set[str] = set()
    refusals: list[str] = []
    for place in (*settings.links, *(f"{one.rstrip('/')}/{canonicalize_name(project)}/" for one in settings.indexes)):
        try:
            files = _files(place, project, settings, reach)
        except Refused as refused:
            refusals.append(f"{redacted(place)}: {refused}")
            continue
        for file in files:
            if file.filename not in seen and canonicalize_name(file.project or "") == canonicalize_name(project):
                seen.add(file.filename)
                yield file, settings.link(file.url.partition("#")[0])
    if not seen:
        raise Refused("; ".join(refusals) or f"no place that pip is set up with has {project}")


def _choose(files: list[DistributionPackage], version: str, file: str | None, wanted: Wanted) -> str:
    """Return the URL of the file with the wanted hash, else of that name, else of the version's sdist."""
    same = [known for known in files if known.digests.get("sha256") == wanted.sha256]
    if not same and file:
        same = [known for known in files if known.filename == file]
    if not same and not file:
        same = [known for known in files if known.version == version and known.package_type == "sdist"]
    if not same:
        raise Refused(f"it has no {file or version}")
    return same[0].url.partition("#")[0]


def _files(place: str, project: str, settings: Settings, reach: Reach) -> list[DistributionPackage]:
    """Return the files that a folder, a page of links, or a project's page of an index names."""
    from pypi_simple import ACCEPT_ANY, ProjectPage

    parts = urlsplit(place)
    if parts.scheme in ("http", "https"):
        content, kind, url = transfer.page(settings.link(place), ACCEPT_ANY, reach)
        if kind == "application/vnd.pypi.simple.v1+json":
            import json

            return ProjectPage.from_json_data(json.loads(content), url).packages
        return ProjectPage.from_html(project, content, url).packages
    path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(place).expanduser()
    page = path / "index.html" if path.is_dir() and (path / "index.html").is_file() else path
    if page.is_file():
        return ProjectPage.from_html(project, page.read_bytes(), urljoin(path.as_uri() + "/", page.name)).packages
    if path.is_dir():
        rows = "".join(
            f'<a href="{file.as_uri()}">{file.name}</a>' for file in sorted(path.iterdir()) if file.is_file()
        )
        return ProjectPage.from_html(project, rows).packages
    raise Refused("there is no such folder or page")


def parse(lines: Sequence[str]) -> Settings:
    """Return what the lines of `pip config list` say; pip's own default index when they name none."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT

    said = _said(lines)
    indexes = [said.get("index-url", PYPI_SIMPLE_ENDPOINT), *said.get("extra-index-url", "").split()]
    if said.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        indexes = []
    return Settings(
        links=tuple(said.get("find-links", "").split()),
        indexes=tuple(indexes),
        ca_file=said.get("cert"),
        proxy=said.get("proxy"),
        trusted_hosts=tuple(said.get("trusted-host", "").split()),
    )


def _said(lines: Sequence[str]) -> Mapping[str, str]:
    """Return the settings in `pip config list`'s lines that hold for downloads."""
    said: dict[str, tuple[int, str]] = {}
    for line in lines:
        match = _SETTING.match(line)
        if match and match[1] in _SECTIONS:
            rank = _SECTIONS.index(match[1])
            if rank >= said.get(match[2], (-1, ""))[0]:
                said[match[2]] = (rank, str(ast.literal_eval(match[3])))
    return {key: value for key, (_, value) in said.items()}


def _pip_config() -> list[str]:
    for pip in ([sys.executable, "-m", "pip"], ["pip3"], ["pip"]):
        try:
            done = process.run([*pip, "config", "list"], timeout_s=_TIMEOUT_S)
        except HostError:
            continue
        if done.status == 0:
            return done.stdout.splitlines()
    return []
