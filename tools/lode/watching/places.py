"""Where new releases of a package show, read from the sources that its recipe names; nothing is asked here.

A Python project shows at its index, a project of a forge by the tags of its repository, an archive by the listing of
its folder, and what only Debian's archive has by Debian's newest. How tags and files are spelled is learnt from the
version that the recipe has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from lode.definitions.recipe import Origin, Recipe

_SAFE_URL = re.compile(r"https?://[A-Za-z0-9._~%+:@/-]+\Z")  # a checker hands it to a shell
_FORGE = re.compile(r"https://(?:github\.com|gitlab\.[a-z0-9.-]+|codeberg\.org)/(?P<path>[^?#]+)")
_TAG = re.compile(
    r"/(?:-/)?(?:archive/refs/tags|archive|releases/download)/(?P<tag>[^/]+)(?:/[^/]+|\.tar\.\w+|\.zip)\Z"
)
_ARCHIVE = re.compile(r"\.(?:tar\.\w+|tgz|zip)\Z")
_DEBIAN = re.compile(r"^[0-9]+:|[+~]?(?:dfsg|ds|repack|really)[0-9.]*.*$")  # an epoch, what Debian has left out
_NUMBERS = r"[0-9]+(?:{separator}[0-9]+)*"
_PLAIN = rf"v?({_NUMBERS.format(separator=r'[.]')})"


class Kind(StrEnum):
    """How a place is asked."""

    INDEX = "index"  # of Python packages
    TAGS = "tags"  # of a git repository
    LISTING = "listing"  # a page that names files or folders
    DEBIAN = "debian"  # Debian's newest source package, which follows upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One place that shows a package's releases, and what one looks like there."""

    package: str
    kind: Kind
    where: str  # a project's name, or a URL
    pattern: str = ""  # of a whole tag, or anywhere in a listing; one group holds the version
    separator: str = "."  # between the version's numbers there

    def version(self, text: str) -> str:
        """Return the version as the recipe spells it."""
        if self.kind is Kind.DEBIAN:
            return _DEBIAN.sub("", text)
        return text if self.separator == "." else text.replace(self.separator, ".")


def watched(recipe: Recipe) -> Watched | None:
    """Return the place that shows the releases of `recipe`; None when none of its sources does."""
    if not recipe.versions:
        return None
    newest = recipe.versions[0]
    origins = [origin for source in newest.sources[:1] for origin in source.origins]
    for origin in origins:
        if found := _of(recipe, origin, newest.version.text):
            return found
    return _home(recipe) or next((_debian(recipe, origin) for origin in origins if origin.scheme == "debian"), None)


def repository(recipe: Recipe, place: Watched | None) -> str | None:
    """Return the git repository that the sources of `recipe`, watched at `place`, or its homepage name."""
    found = place if place is not None and place.kind is Kind.TAGS else _home(recipe)
    return found.where if found else None


def _debian(recipe: Recipe, origin: Origin) -> Watched:
    return Watched(package=recipe.name, kind=Kind.DEBIAN, where=origin.location.partition("=")[0])


def _of(recipe: Recipe, origin: Origin, version: str) -> Watched | None:
    if origin.scheme == "pypi":
        project, _, file = origin.location.partition("==")
        if file.partition("/")[0] != version:
            return None  # a part of another project, which has its own versions
        return Watched(package=recipe.name, kind=Kind.INDEX, where=project)
    if origin.scheme == "git":
        return _tags(recipe.name, origin.location.rpartition("@")[0], _PLAIN, ".")
    if origin.scheme != "url":
        return None
    url = unquote(origin.location)
    forge = _FORGE.match(url)
    if forge and (tag := _TAG.search(url)):
        repository = url[: tag.start()] + ".git"
        text = _ARCHIVE.sub("", tag["tag"])
        return next((_tags(recipe.name, repository, *form) for form in _spelled(text, version)), None)
    return _listing(recipe.name, url, version)


def _home(recipe: Recipe) -> Watched | None:
    """Return the tags of the repository that the homepage is, for what only a distribution's archive has."""
    forge = _FORGE.match(recipe.homepage)
    if forge and forge["path"].strip("/").count("/") == 1:
        return _tags(recipe.name, recipe.homepage.rstrip("/").removesuffix(".git") + ".git", _PLAIN, ".")
    return None


def _tags(package: str, url: str, pattern: str, separator: str) -> Watched | None:
    if not _SAFE_URL.match(url):
        return None
    return Watched(package=package, kind=Kind.TAGS, where=url, pattern=pattern, separator=separator)


def _listing(package: str, url: str, version: str) -> Watched | None:
    """Return the listing in which the first part of the URL's path that has the version differs between releases."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not _SAFE_URL.match(url):
        return None
    pieces = parts.path.split("/")
    for place, piece in enumerate(pieces):
        for pattern, separator in _spelled(piece, version):
            folder = parts._replace(path="/".join(pieces[:place]) + "/", query="", fragment="").geturl()
            end = "" if place == len(pieces) - 1 else "/"
            return Watched(
                package=package, kind=Kind.LISTING, where=folder, pattern=f'"(?:[^"]*/)?{pattern}{end}"',
                separator=separator,
            )  # fmt: skip
    return None


def _spelled(text: str, version: str) -> Iterator[tuple[str, str]]:
    """Yield a pattern for other versions in place of `version` in `text`, and what separates their numbers there."""
    for separator in (".", "_", "-"):
        said = version.replace(".", separator)
        before, found, after = text.partition(said)
        if found and re.fullmatch(r"[0-9.]+", version):
            numbers = _NUMBERS.format(separator=re.escape(separator))
            rest = re.escape(after).replace(re.escape(said), numbers)
            yield f"{re.escape(before)}({numbers}){rest}", separator
            return
