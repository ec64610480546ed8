"""Versions of a package.py with their sources and patches, each by its sha256.

Spack asks a source mirror for the bytes of a hash and needs no address for that, so that an origin without one (an
index of packages, an archive of Debian, a repository's commit, a folder) is served by the mirror alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from lode.definitions.recipe import Recipe, RecipeVersion, Source, System
from lode.definitions.requirement import ALWAYS
from lode.locking.graph import Node
from lode.locking.words import filename
from lode.rendering.spack.directive import call
from lode.rendering.spack.versions import is_version, key
from lode.rendering.spack.words import Words

_MIRROR_ONLY = "file:///nowhere/lode"  # an address that is never there: the bytes come from a mirror


def versions(recipe: Recipe, node: Node | None, words: Words) -> Iterator[str]:
    """Yield the versions, newest first, and their further sources."""
    seen: dict[object, str] = {}
    for stated in recipe.versions:
        text = stated.version.text
        if not is_version(text):
            words.refuse(recipe, f"Spack cannot have {text} as a version", "a plus sign is not allowed there")
            continue
        if other := seen.get(key(text)):
            words.refuse(recipe, f"the versions {other} and {text} are the same for Spack")
            continue
        seen[key(text)] = text
        yield from _version(recipe, stated, node if node and node.version == text else None, words)


def patches(recipe: Recipe, words: Words) -> Iterator[str]:
    """Yield the patches of all versions."""
    for stated in recipe.versions:
        if not is_version(stated.version.text):
            continue
        root = _root(stated)
        for patch in stated.patches:
            for when in words.conditions(recipe, patch.when):
                yield call("patch", patch.file, level=patch.strip, working_dir=root or None,
                           when=" ".join(part for part in (f"@={stated.version}", when) if part))  # fmt: skip


def roots(recipe: Recipe) -> dict[str, str]:
    """Return the folder of its archive that each version begins in, where it is not the root."""
    return {stated.version.text: root for stated in recipe.versions if (root := _root(stated))}


def _version(recipe: Recipe, stated: RecipeVersion, node: Node | None, words: Words) -> Iterator[str]:
    text, deprecated = stated.version.text, True if stated.deprecated else None
    if recipe.build.system is System.BUNDLE and stated.sources:
        words.refuse(recipe, f"version {text} has sources, which a bundle of Spack cannot have")
    if not stated.sources:
        yield call("version", text, deprecated=deprecated)
        return
    first, *others = stated.sources
    sha256 = _sha256(first, node)
    if sha256 is None or (node is None and any(_sha256(one, node) is None for one in others)):
        words.weaken(recipe.name, f"version {text} is left out: its files have no hash before they are locked")
        return
    if first.when != ALWAYS or first.directory:
        what = f"the first source of version {text} is in a folder of its own or for some targets only"
        words.refuse(recipe, what, "put the source that all others go into first")
    url, only_mirror = _address(first)
    if only_mirror:
        words.weaken(recipe.name, f"version {text} comes from the source mirror alone ({first.origins[0].scheme})")
    yield call("version", text, sha256=sha256, url=url, expand=None if first.unpack else False, deprecated=deprecated)
    for place, source in enumerate(others, 2):
        yield from _resource(recipe, stated, source, node, words, f"{recipe.name}-{place}")


def _resource(
    recipe: Recipe, stated: RecipeVersion, source: Source, node: Node | None, words: Words, name: str
) -> Iterator[str]:
    sha256 = _sha256(source, node)
    if sha256 is None:
        words.refuse(recipe, f"a source of version {stated.version} has no hash before it is locked")
        return
    url, only_mirror = _address(source)
    if only_mirror:
        words.weaken(recipe.name, f"a source of version {stated.version} comes from the source mirror alone")
    folder = PurePosixPath(source.directory)
    placement: object = folder.name
    destination = str(folder.parent) if source.directory else ""
    if not source.unpack:
        file = filename(source.origins[0], unpack=False)
        placement, destination = {file: str(folder / file)}, ""
    elif source.subdirectory:
        placement, destination = {source.subdirectory: source.directory}, ""
    elif not source.directory:
        words.refuse(recipe, f"a second source of version {stated.version} is unpacked over the first")
    for when in words.conditions(recipe, source.when):
        yield call("resource", name=name, url=url, sha256=sha256, destination="" if destination == "." else destination,
                   placement=placement, expand=None if source.unpack else False,
                   when=" ".join(part for part in (f"@={stated.version}", when) if part))  # fmt: skip


def _root(stated: RecipeVersion) -> str:
    return stated.sources[0].subdirectory if stated.sources else ""


def _sha256(source: Source, node: Node | None) -> str | None:
    """Return the source's hash; of a folder beside the recipe, the one in the lock."""
    if source.sha256 is not None:
        return str(source.sha256)
    for locked in node.sources if node else ():
        if locked.origins == source.origins and locked.directory == source.directory:
            return str(locked.sha256)
    return None


def _address(source: Source) -> tuple[str, bool]:
    """Return the address to fetch from when no mirror has it, and whether that leads nowhere."""
    for origin in source.origins:
        if origin.scheme == "url":
            return origin.location, False
    return f"{_MIRROR_ONLY}/{filename(source.origins[0], unpack=source.unpack)}", True
