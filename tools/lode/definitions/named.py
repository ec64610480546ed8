"""Which dependencies upstream's own metadata names, kept beside a Python recipe, and how the recipe agrees with it.

`upstream.json` is written by tools/new_recipe.py and tools/bump_recipe.py from what an sdist or wheel says:

    {"versions": {"2.1.0": {"build": ["hatchling"], "run": ["awkward", "numpy"]}},
     "left_out": {"pandas": "imported where used"}, "added": {"python-extras": "it opens TLS connections"}}

Names are as PyPI normalizes them, without versions: those are in the recipe. `left_out` and `added` say why the recipe
knows better, for all its versions. Each version that the file knows is compared with what the recipe asks for then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lode.definitions.recipe import Kind, Recipe, System
from lode.definitions.version import Version
from lode.errors import DefinitionError, Fault, Place

FILE = "upstream.json"
_ANYWAY = frozenset({"python"})  # named by Requires-Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What upstream names, by version, and what the recipe does otherwise, with the reasons."""

    run: Mapping[str, frozenset[str]]
    left_out: Mapping[str, str]
    added: Mapping[str, str]


def read(content: bytes, *, file: str) -> Named:
    """Return what `content`, an upstream.json, says; DefinitionError when it is not in the form above."""
    try:
        document: Any = json.loads(content)
        versions = document["versions"]
        return Named(
            run={version: frozenset(named["run"]) for version, named in versions.items()},
            left_out={**document.get("left_out", {})},
            added={**document.get("added", {})},
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        hint = "tools/bump_recipe.py writes it anew"
        raise DefinitionError(f"it is not in the form of {FILE}", place=Place(file=file), hint=hint) from error


def faults(recipe: Recipe, named: Named) -> Iterator[Fault]:
    """Yield what `recipe` asks for at run time and upstream never names, and the other way round."""
    if recipe.build.system not in (System.PYTHON, System.WHEEL):
        return
    for one in recipe.versions:
        if str(one.version) in named.run:
            yield from _faults_of(one.version, recipe, named)


def _faults_of(version: Version, recipe: Recipe, named: Named) -> Iterator[Fault]:
    says = named.run[str(version)]
    asked = {
        one.requirement.package: one
        for one in recipe.dependencies
        if {Kind.RUN, Kind.LINK} & set(one.kinds) and (not one.when.version.clauses or one.when.version.admits(version))
    }
    for package in sorted(asked):
        dependency = asked[package]
        if Kind.LINK in dependency.kinds or package in says | _ANYWAY | named.added.keys():
            continue
        message = f"{recipe.name} needs {package} at run time, which {recipe.name} {version} never names upstream"
        hint = f"remove it, or say why in {FILE}: added"
        yield Fault(message=message, place=dependency.requirement.place, hint=hint, warning=True)
    for package in sorted(says - asked.keys() - named.left_out.keys()):
        message = f"{recipe.name} {version} needs {package}, says upstream, and the recipe does not ask for it"
        hint = f"add it to `dependencies: run`, or say why not in {FILE}: left_out"
        yield Fault(message=message, place=recipe.place, hint=hint, warning=True)
