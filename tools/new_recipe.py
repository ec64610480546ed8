"""Writes the first draft of a recipe: from a project on a Python package index, from an archive, or from facts.

    tools/new_recipe.py pypi pylhe==2.1.0
    tools/new_recipe.py pypi scipy --wheel cp313
    tools/new_recipe.py tarball hepmc3-3.3.1.tar.gz --name hepmc3 --version 3.3.1 --url https://…/hepmc3-3.3.1.tar.gz
    tools/new_recipe.py facts geant4.yaml

What a machine can know is filled in: hashes, sizes, licence, what upstream names as dependencies. What only a person
knows is asked for by `lode check`: a test that proves something, the DOI to cite. `recipes/<name>/upstream.json` keeps
which dependencies upstream names, for the check that a recipe asks for nothing else and forgets nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import drafts
from drafts import Draft
from lode.definitions.language import NAME
from lode.errors import LodeError, UsageError

COLLECTION = Path(__file__).resolve().parent.parent
UPSTREAM_FILE = "upstream.json"


class _Flow(list[Any]):
    """A list that is written on one line."""


class _Map(dict[str, Any]):
    """A mapping that is written on one line."""


class _Quoted(str):
    """A text that is written with quotes."""

    __slots__ = ()


class _Lines(str):
    """A text of several lines that is written as a block."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes recipes as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


_Dumper.add_representer(_Flow, lambda d, v: d.represent_sequence("tag:yaml.org,2002:seq", v, flow_style=True))
_Dumper.add_representer(_Map, lambda d, v: d.represent_mapping("tag:yaml.org,2002:map", v.items(), flow_style=True))
_Dumper.add_representer(_Quoted, lambda d, v: d.represent_scalar("tag:yaml.org,2002:str", str(v), style='"'))
_Dumper.add_representer(_Lines, lambda d, v: d.represent_scalar("tag:yaml.org,2002:str", str(v), style="|"))


def text(draft: Draft) -> str:
    """Return recipe.yaml of `draft`."""
    dependencies = {"build": [*draft.languages, *draft.tools], "link": draft.link, "run": draft.run}
    build: dict[str, Any] = {"system": draft.system}
    if draft.args:
        build["args"] = list(draft.args)
    document: dict[str, Any] = {
        "name": draft.name,
        "summary": draft.summary,
        "homepage": draft.homepage,
        "license": draft.license,
        **({"cite": _Flow(draft.cite)} if draft.cite else {}),
        "tags": _Flow(draft.tags),
        "versions": [version_entry(draft.version, draft.source)],
        "dependencies": {kind: _Flow(sorted(set(names))) for kind, names in dependencies.items() if names},
        "build": build,
    }
    if draft.imports:
        document["tests"] = [_Map(name="import", python=f"import {draft.imports}")]
    if draft.upstream:
        document["upstream"] = _Map({key: _Quoted(value) for key, value in draft.upstream.items()})
    return dump(document)


def version_entry(version: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of `versions`."""
    return {"version": _Quoted(version), "source": [dict(source)]}


def dump(document: Any) -> str:
    """Return `document` as YAML in the way that recipes are written."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=118, allow_unicode=True)


def write(draft: Draft, collection: Path) -> Path:
    """Write the recipe of `draft` into `collection` and return its folder; UsageError when one is there."""
    if not NAME.fullmatch(draft.name):
        raise UsageError(f"{draft.name!r} is no package name", hint="lower-case letters, digits and dashes")
    folder = collection / "recipes" / draft.name
    if (folder / "recipe.yaml").exists():
        raise UsageError(f"{folder / 'recipe.yaml'} is there already", hint="tools/bump_recipe.py adds a version")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(text(draft), encoding="utf-8")
    if draft.named:
        write_named(folder, draft)
    return folder


def write_named(folder: Path, draft: Draft) -> None:
    """Keep which dependencies upstream names for the version of `draft`, beside those of its other versions."""
    file = folder / UPSTREAM_FILE
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known.setdefault("versions", {})[draft.version] = dict(draft.named)
    file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Write the first draft of a recipe.")
    parser.add_argument("--collection", type=Path, default=COLLECTION, help="collection to write into")
    ways = parser.add_subparsers(dest="way", required=True)
    index = ways.add_parser("pypi", help="from a project on the Python package index")
    index.add_argument("project", help="NAME or NAME==VERSION")
    index.add_argument("--wheel", metavar="TAG", help="the wheel for this Python, cp313 or py3, instead of the sdist")
    tarball = ways.add_parser("tarball", help="from an archive on disk")
    tarball.add_argument("archive", type=Path)
    for name in ("--name", "--version", "--url"):
        tarball.add_argument(name, required=True)
    tarball.add_argument("--license", default="LicenseRef-Unknown", help="SPDX expression")
    ways.add_parser("facts", help="from a YAML file with the keys of a draft").add_argument("file", type=Path)
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Write a recipe and say what is left to do; return 1, with the reason, when it cannot be."""
    given = _arguments(words)
    try:
        if given.way == "pypi":
            project, _, version = given.project.partition("==")
            draft = drafts.from_index(project, version or None, given.wheel)
        elif given.way == "tarball":
            draft = drafts.from_archive(
                given.archive, name=given.name, version=given.version, url=given.url, license=given.license
            )
        else:
            draft = drafts.from_facts(yaml.safe_load(given.file.read_text(encoding="utf-8")))
        folder = write(draft, given.collection)
    except (LodeError, OSError) as error:
        print(f"new_recipe: {error}", file=sys.stderr)
        return 1
    print(f"wrote {folder}/recipe.yaml; read it, give it a test that proves something, then: lode check {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
