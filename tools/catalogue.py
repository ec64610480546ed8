"""Writes docs/reference/catalogue.md, a row for each recipe and for each system that has none; `--check` only compares.

    tools/catalogue.py                     write the page
    tools/catalogue.py --check             say how the page differs from what it should be
    tools/catalogue.py --record CACHE      note first which nodes of the locks lie built in the cache folder CACHE

What was built is never typed: `docs/reference/built.json` is what `--record` found in a cache, by node hash, and a row
says "built" only of the version that is noted there. `docs/reference/catalogue.yaml` holds what no file can tell: why a
recipe could not be built, and which systems of the field have no recipe yet.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from lode.building.cache import Cache
from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Recipe, RecipeVersion, System
from lode.errors import LodeError
from lode.locking.graph import Lock
from lode.rendering import RENDERERS, renderer
from lode.workflow.lock import files, locked

ROOT = Path(__file__).resolve().parent.parent
PAGE, BUILT, NOTES = (ROOT / "docs" / "reference" / name for name in ("catalogue.md", "built.json", "catalogue.yaml"))
NOTE = "<!-- Written by tools/catalogue.py: change a recipe, catalogue.yaml or built.json, then run that. -->"
KEEPER = "the project"
_REGISTRIES = {"pypi": "PyPI", "debian": "Debian"}
_HEAD = "| package | versions | licence | may be given away | source | built here | tests | renderers | keeper |"


def page(catalogue: Catalogue, built: Mapping[str, Any], notes: Mapping[str, Any]) -> str:
    """Return the page for the recipes of `catalogue`."""
    reasons: Mapping[str, str] = notes.get("reasons", {})
    accepted = _accepted(catalogue)
    rows = [_row(catalogue.recipe(name), built, reasons, accepted) for name in catalogue.recipe_names()]
    done = sum(1 for name in catalogue.recipe_names() if name in built)
    missing = [f"| {one['name']} | {one['what']} | {one['why']} |" for one in notes.get("missing", ())]
    single: Mapping[str, str] = notes.get("single", {})
    ones = [name for name in catalogue.recipe_names() if len(catalogue.recipe(name).versions) == 1]
    parts = [
        NOTE,
        "# Catalogue",
        f"{len(rows)} recipes, {done} of them built by the project from source or, where marked, from a wheel. "
        "A recipe that was not built is complete and checked, and nothing more is claimed of it.",
        "**Built here** names version, target and CPU seconds of the last build that was noted, else why there is "
        "none. "
        "**Tests** counts the recipe's own; those with numbers compare with a reference. **Renderers** accept a recipe "
        "when a stack with it goes through them; a dash means that no shipped stack has it.",
        "\n".join([_HEAD, "|---" * 9 + "|", *rows]),
        "## Versions",
        f"{len(rows) - len(ones)} recipes have two versions or more. These have one:",
        "\n".join(
            ["| package | why |", "|---|---|", *(f"| {name} | {single.get(name, 'not said')} |" for name in ones)]
        ),
    ]
    if missing:
        parts += ["## Without a recipe", "\n".join(["| system | what it is | why |", "|---|---|---|", *missing])]
    return "\n\n".join(parts) + "\n"


def _row(
    recipe: Recipe, built: Mapping[str, Any], reasons: Mapping[str, str], accepted: Mapping[str, frozenset[str]]
) -> str:
    names = accepted.get(recipe.name)
    numbers = sum(1 for test in recipe.tests if test.numbers)
    cells = [
        f"[{recipe.name}]({recipe.homepage})" + (" (wheel)" if recipe.build.system is System.WHEEL else ""),
        ", ".join(str(one.version) for one in recipe.versions),
        recipe.license,
        "yes" if recipe.redistributable else "no",
        ", ".join(_places(recipe.versions)),
        _built(recipe, built, reasons),
        f"{len(recipe.tests)}" + (f", {numbers} with numbers" if numbers else ""),
        "—" if names is None else ("all" if names == frozenset(RENDERERS) else ", ".join(sorted(names)) or "none"),
        ", ".join(recipe.maintainers) or KEEPER,
    ]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _places(versions: Sequence[RecipeVersion]) -> list[str]:
    """Return where the sources of `versions` are: registries, hosts."""
    found: dict[str, None] = {}
    for origin in (one for version in versions for source in version.sources for one in source.origins):
        if origin.scheme in _REGISTRIES:
            found[_REGISTRIES[origin.scheme]] = None
        elif origin.scheme == "path":
            found["the collection"] = None
        else:
            found[urlsplit(origin.location).hostname or origin.scheme] = None
    return list(found)


def _built(recipe: Recipe, built: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    noted = built.get(recipe.name, {})
    known = {str(one.version) for one in recipe.versions}
    done = [
        f"{one['version']} on {target}, {one['cpu_s']:.0f} s"
        for target, one in sorted(noted.items())
        if one["version"] in known
    ]
    if done:
        return "; ".join(done)
    if recipe.name in reasons:
        return f"no: {reasons[recipe.name]}"
    if not any({"pypi", "debian"} & {o.scheme for s in v.sources for o in s.origins} for v in recipe.versions):
        return "no: its source is on none of the registries that the project's machines reach"
    return "not yet"


@cache
def _accepted(catalogue: Catalogue) -> Mapping[str, frozenset[str]]:
    """Return the renderers that accept each package which a shipped stack has."""
    recipes = {name: catalogue.recipe(name) for name in catalogue.recipe_names()}
    found: dict[str, frozenset[str]] = {}
    for reference, lock in _locks(catalogue):
        takers = set()
        for name in RENDERERS:
            try:
                renderer(name).render(lock, recipes=recipes, file=files(catalogue, catalogue.stack(reference)))
            except LodeError:
                continue
            takers.add(name)
        for node in lock.nodes:
            found[node.package] = found.get(node.package, frozenset(RENDERERS)) & frozenset(takers)
    return found


def _locks(catalogue: Catalogue) -> Iterator[tuple[str, Lock]]:
    for name, release in catalogue.stacks():
        reference = f"{name}@{release}"
        if catalogue.lock_path(catalogue.stack(reference)).is_file():
            yield reference, locked(catalogue, reference)


def recorded(catalogue: Catalogue, built: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return `built` with what of the locks' nodes lies in the cache `folder`."""
    found: dict[str, Any] = {package: dict(targets) for package, targets in built.items()}
    there = Cache(folder)
    for _, lock in _locks(catalogue):
        for node in lock.nodes:
            for target, node_hash in node.hashes.items():
                artifact = there.peek(node_hash)
                if artifact is not None:
                    entry = {"version": node.version, "cpu_s": round(artifact.record.cpu_s, 1), "node": node_hash}
                    found.setdefault(node.package, {})[target] = entry
    return found


def main(words: Sequence[str]) -> int:
    """Write the page, or with `--check` print how it differs; return 1 when it does."""
    try:
        return _written(words)
    except LodeError as error:
        print(f"catalogue: {error}", file=sys.stderr)
        return 1


def _written(words: Sequence[str]) -> int:
    catalogue = Catalogue.open([ROOT], here=ROOT)
    built = json.loads(BUILT.read_text(encoding="utf-8")) if BUILT.exists() else {}
    if "--record" in words:
        built = recorded(catalogue, built, Path(words[list(words).index("--record") + 1]))
        BUILT.write_text(json.dumps(built, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    text = page(catalogue, built, yaml.safe_load(NOTES.read_text(encoding="utf-8")) or {})
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if "--check" in words:
        lines = difflib.unified_diff(old.splitlines(), text.splitlines(), "as it is", "as it must be", lineterm="")
        print("\n".join(lines), end="" if old == text else "\n")
    elif old != text:
        PAGE.write_text(text, encoding="utf-8")
        print(f"wrote {PAGE}")
    return 1 if "--check" in words and old != text else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
