"""Adds a version to a recipe, with the hash and size of its source; all else of the file stays as it is.

    tools/bump_recipe.py pylhe                     the newest release of the project that the recipe's sources name
    tools/bump_recipe.py pylhe 2.1.1
    tools/bump_recipe.py pylhe --previous          the newest release of the series before those that it has
    tools/bump_recipe.py hepmc3 3.3.2              from its sources' addresses or repository, with that version in them
    tools/bump_recipe.py nest 2.4.1 --archive v2.4.1.tar.gz --url https://…/v2.4.1.tar.gz

The new version comes before all older ones; its sources are those of the newest one with the new bytes. Patches are not
taken over: whether one is still needed shows when the version is built. What upstream's metadata asks for then, and the
recipe does not, is told: it is for `when:` to say.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import packaging.version

import asked
import drafts
import new_recipe
import successors
from drafts import Draft
from lode.definitions import read_recipe
from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Recipe
from lode.definitions.version import Version
from lode.errors import LodeError, UsageError

_VERSIONS = re.compile(r"^versions:[^\n]*\n(?:[ \t]*#[^\n]*\n)*", re.MULTILINE)
_ENTRY = re.compile(r"(?:^[ \t]*#[^\n]*\n)*^  - |^(?=\S)|\Z", re.MULTILINE)  # of versions, or what follows them


def bumped(text: str, version: str, source: Mapping[str, Any]) -> str:
    """Return recipe.yaml `text` with `version` in front of the first older one; UsageError when it is there already."""
    recipe = read_recipe.read(text.encode(), file="recipe.yaml")
    if version in {str(one.version) for one in recipe.versions}:
        raise UsageError(f"{recipe.name} has the version {version} already")
    match = _VERSIONS.search(text)
    if match is None or match.group().splitlines()[0].split("#")[0].strip() != "versions:":
        raise UsageError(f"{recipe.name}: `versions` is not a list with an item a line", hint="write it as a block")
    entry = new_recipe.dump([new_recipe.version_entry(version, source)])
    block = "".join(f"  {line}\n" for line in entry.splitlines())
    older = next((i for i, one in enumerate(recipe.versions) if one.version < Version(version)), len(recipe.versions))
    place = [match.end(), *(one.start() for one in _ENTRY.finditer(text, match.end()))][older + 1 if older else 0]
    new = text[:place] + block + text[place:]
    read_recipe.read(new.encode(), file="recipe.yaml")  # nothing but a sound recipe is written
    return new


def project(recipe: Recipe) -> tuple[str, str | None] | None:
    """Return the Python project that the newest sources of `recipe` are of and their wheel's tag; None if of none.

    A package that is a part of a project has versions of its own, and is not meant.
    """
    newest = recipe.versions[0]
    for origin in (one for source in newest.sources for one in source.origins):
        name, _, rest = origin.location.partition("==")
        if origin.scheme == "pypi" and rest.partition("/")[0] == newest.version.text:
            tag = re.search(r"-(cp3[0-9]+|py3)-[^/]*\.whl\Z", origin.location)
            return name, tag[1] if tag else None
    return None


def _draft(recipe: Recipe, given: argparse.Namespace) -> Draft:
    if given.previous and (given.version or given.archive):
        raise UsageError("--previous is a version by itself")
    if (given.archive is None) != (given.url is None):
        raise UsageError("--archive and --url go together")
    indexed = project(recipe)
    if given.archive is None and indexed is not None:
        oldest = min(one.version for one in recipe.versions).text if given.previous else None
        before = packaging.version.Version(oldest) if oldest else None
        return drafts.from_index(indexed[0], given.version, indexed[1], before=before)
    if given.previous:
        raise UsageError(f"{recipe.name} is on no Python package index: its releases are not known")
    if given.version is None and given.archive is not None:
        raise UsageError("which version is the archive?", hint="give it after the recipe's name")
    if given.version is None:
        raise UsageError(
            f"{recipe.name} is on no Python package index: which version is it to have?",
            hint=f"give it after the name; `lode outdated {recipe.name}` says which is the newest",
        )
    if given.archive is None:
        source = successors.source(recipe, given.version)
    else:
        source = {"url": given.url, **drafts.measured(given.archive)}
    return Draft(name=recipe.name, version=given.version, summary="", homepage="", license="", source=source, system="")


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Add a version to a recipe.")
    parser.add_argument("recipe")
    parser.add_argument("version", nargs="?", help="default: the newest release")
    parser.add_argument("--previous", action="store_true", help="the newest of the series before those it has")
    parser.add_argument("--archive", type=Path, help="the source, on disk, of what no Python package index has")
    parser.add_argument("--url", help="where upstream serves the archive")
    parser.add_argument("--collection", type=Path, default=new_recipe.COLLECTION)
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Add a version and say which; return 1, with the reason, when it cannot be."""
    given = _arguments(words)
    folder = given.collection / "recipes" / given.recipe
    file = folder / "recipe.yaml"
    try:
        text = file.read_text(encoding="utf-8")
        recipe = read_recipe.read(text.encode(), file=str(file))
        draft = _draft(recipe, given)
        file.write_text(bumped(text, draft.version, draft.source), encoding="utf-8")
        if draft.named:
            new_recipe.write_named(folder, draft)
    except (LodeError, OSError) as error:
        print(f"bump_recipe: {error}", file=sys.stderr)
        return 1
    print(f"{given.recipe} has {draft.version} now; build it, then: lode lock STACK --update {given.recipe}")
    for patch in recipe.versions[0].patches:
        print(f"left out: {patch.file} ({patch.reason})")
    known = Catalogue.open([given.collection], here=None)
    for difference in asked.differences(recipe, draft, partial(_versions, known)):
        print(f"{given.recipe} {draft.version}: {difference}")
    return 0


def _versions(known: Catalogue, package: str) -> list[Version]:
    recipe = known.find_recipe(package)
    return [one.version for one in recipe.versions] if recipe else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
