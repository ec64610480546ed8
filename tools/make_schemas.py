"""Writes docs/reference/schemas/*.json from the forms that the readers use; `--check` only compares."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lode.definitions import schema

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference" / "schemas"


def files() -> Mapping[str, str]:
    """Return the schema files by name."""
    return {
        f"{name}.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in schema.schemas().items()
    }


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with `--check` print how they differ; return 1 when they do."""
    differs = False
    for name, text in files().items():
        path = FOLDER / name
        before = path.read_text() if path.exists() else ""
        if "--check" in arguments:
            lines = difflib.unified_diff(before.splitlines(), text.splitlines(), str(path), "generated", lineterm="")
            for line in lines:
                print(line)
                differs = True
        elif before != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return int(differs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
