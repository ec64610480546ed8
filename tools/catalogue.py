"""Writes docs/reference/catalogue.md, a row for each recipe and for each system that has none; `--check` only compares.

    tools/catalogue.py                     write the pages
    tools/catalogue.py --check             say how the pages differ from what they should be
    tools/catalogue.py --record CACHE      note first which nodes of the locks lie built in the cache folder CACHE
    tools/catalogue.py --tested REPORT     note first what tests gave, from what `lode test --json` printed

What was built is never typed: `docs/reference/built.json` is what `--record` found in a cache, by node hash, and a row
says "built" only of the version that is noted there; what passed is noted with the node whose tests it was.
`docs/reference/catalogue.yaml` holds what no file can tell: why a recipe could not be built, and which systems of the
field have no recipe yet. docs/reference/dance-core.md has the times of the nodes of that stack.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections import Counter
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
from lode.locking.graph import Lock, Node
from lode.rendering import RENDERERS, renderer
from lode.testing import results
from lode.testing.results import TestReport
from lode.workflow.lock import files, locked

ROOT = Path(__file__).resolve().parent.parent
PAGE, BUILT, NOTES = (ROOT / "docs" / "reference" / name for name in ("catalogue.md", "built.json", "catalogue.yaml"))
CORE, CORE_PAGE = "dance-core@2026.11", ROOT / "docs" / "reference" / "dance-core.md"
_LANGUAGES = {"c": "C", "cxx": "C++", "fortran": "Fortran"}
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


def times_page(lock: Lock, built: Mapping[str, Any]) -> str:
    """Return the page that says how long each node of `lock` took, and which of its tests passed."""
    (target,) = (one.definition.name for one in lock.targets)
    noted = {node.package: _of_node(node, target, built) for node in lock.nodes}
    known = [one for one in noted.values() if one]
    seconds = sum(one["cpu_s"] for one in known)
    passed = sum(one.get("tests", {}).get("passed", 0) for one in known)
    wheels = sum(node.prebuilt for node in lock.nodes)
    compiled = sum(bool(node.languages) for node in lock.nodes)
    rows = [
        f"| {node.package} | {node.version} | {_made_of(node)} | {_seconds(noted[node.package])} "
        f"| {_tests(noted[node.package])} |"
        for node in sorted(lock.nodes, key=lambda node: -noted[node.package].get("cpu_s", -1.0))
    ]
    parts = [
        NOTE,
        f"# Times of {lock.stack}",
        f"{lock.stack}@{lock.release} holds what of the [catalogue](catalogue.md) the package registries carry the "
        f"source of, as far as one CPython can hold it: {len(lock.nodes)} nodes on {target}, {compiled} of them "
        f"compiled, {wheels} wheels that nobody compiles, and packages without compiled parts.",
        "```console\n$ lode build dance-core && lode test dance-core --tools\n```",
        f"**Built here: {len(known)} of {len(lock.nodes)} nodes, {seconds:.0f} s of CPU in all**, which is "
        f"{seconds / 120:.0f} minutes on two cores that do nothing else. **Tests: {passed} passed**, those of the "
        "packages that only builds need included. A dash means that this node has not been built or tested as it is "
        "locked today. [Build and resume](../how-to/build.md) tells how it goes in sittings.",
        "\n".join(["| package | version | made of | CPU time | tests passed |", "|---" * 5 + "|", *rows]),
    ]
    return "\n\n".join(parts) + "\n"


def _of_node(node: Node, target: str, built: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is noted of this very node, nothing when it is another's."""
    found: Mapping[str, Any] = built.get(node.package, {}).get(target, {})
    return found if found.get("node") == node.hashes[target] else {}


def _made_of(node: Node) -> str:
    if node.prebuilt:
        return "wheel"
    return "source" + (f", {' and '.join(_LANGUAGES[one] for one in node.languages)}" if node.languages else "")


def _seconds(noted: Mapping[str, Any]) -> str:
    return f"{noted['cpu_s']:.0f} s" if noted else "—"


def _tests(noted: Mapping[str, Any]) -> str:
    counts: Mapping[str, int] = noted.get("tests", {})
    if not counts:
        return "—"
    return f"{counts.get('passed', 0)} of {sum(counts.values())}"


def tested(catalogue: Catalogue, built: Mapping[str, Any], report: TestReport) -> dict[str, Any]:
    """Return `built` with how many tests of each node ended how; LodeError when the report is of no shipped lock."""
    locks = {lock.digest: lock for _, lock in _locks(catalogue)}
    if report.lock_digest not in locks:
        raise LodeError(f"the report is of the lock {report.lock_digest}, which no stack has")
    found: dict[str, Any] = {package: dict(targets) for package, targets in built.items()}
    for package, ended in report.packages():
        noted = found.get(package, {}).get(report.target)
        if noted and _of_node(locks[report.lock_digest].node(package), report.target, built):
            counts = Counter(str(result.outcome) for result in ended)
            found[package][report.target] = {**noted, "tests": dict(sorted(counts.items()))}
    return found


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
                    before = found.setdefault(node.package, {}).get(target, {})
                    tests = {"tests": before["tests"]} if before.get("node") == node_hash and "tests" in before else {}
                    found[node.package][target] = {**entry, **tests}
    return found


def main(words: Sequence[str]) -> int:
    """Write the pages, or with `--check` print how they differ; return 1 when they do."""
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
    if "--tested" in words:
        report = Path(words[list(words).index("--tested") + 1])
        built = tested(catalogue, built, results.load(report.read_bytes(), str(report)))
    if {"--record", "--tested"} & set(words):
        BUILT.write_text(json.dumps(built, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    pages = {
        PAGE: page(catalogue, built, yaml.safe_load(NOTES.read_text(encoding="utf-8")) or {}),
        CORE_PAGE: times_page(locked(catalogue, CORE), built),
    }
    return max([_page_written(path, text, words) for path, text in pages.items()])


def _page_written(path: Path, text: str, words: Sequence[str]) -> int:
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if "--check" in words:
        lines = difflib.unified_diff(old.splitlines(), text.splitlines(), "as it is", "as it must be", lineterm="")
        print("\n".join(lines), end="" if old == text else "\n")
    elif old != text:
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    return 1 if "--check" in words and old != text else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
