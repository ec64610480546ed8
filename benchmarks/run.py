"""Runs the benchmarks of this folder, or those named, and prints a table; `--json FILE` keeps the figures.

A benchmark is a module here with NAME and `measure()`, which returns rows of name, figure, unit and limit. Exits with
1 when a figure is over its limit. No part of `ci/run`: timings of a shared machine prove little.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parent


def modules() -> dict[str, ModuleType]:
    """Return the benchmarks by name."""
    found = {}
    for file in sorted(FOLDER.glob("*.py")):
        if file.name == "run.py":
            continue
        spec = importlib.util.spec_from_file_location(f"benchmark_{file.stem}", file)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if hasattr(module, "measure"):
            found[str(module.NAME)] = module
    return found


def main(arguments: Sequence[str]) -> int:
    """Measure and print; return 1 when a figure is over its limit."""
    known = modules()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(known)}")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    asked = parser.parse_args(arguments)
    for name in asked.names:
        if name not in known:
            parser.error(f"there is no benchmark {name!r}")
    over = False
    figures = []
    for name in asked.names or known:
        for what, figure, unit, limit in known[name].measure():
            too_much = limit is not None and figure > limit
            over = over or too_much
            bound = "" if limit is None else f"  (limit {limit:g} {unit}{', OVER' if too_much else ''})"
            print(f"{name}: {what}: {figure:.3g} {unit}{bound}", flush=True)
            figures.append({"benchmark": name, "what": what, "figure": figure, "unit": unit, "limit": limit})
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
