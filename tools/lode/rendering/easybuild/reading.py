"""What easyconfigs say, read as Python without running it: every statement gives a name a literal."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from lode import digest
from lode.errors import Place
from lode.rendering import names
from lode.rendering.agreement import Agreement, Item, Need, Unreadable
from lode.rendering.easybuild.words import NAMES
from lode.tree import FileTree


def read_back(tree: FileTree) -> Agreement:
    """Return what the easyconfigs in `tree` build, of which bytes, and with which modules."""
    items: set[Item] = set()
    needs: set[Need] = set()
    for path, content in sorted(tree.files.items()):
        if len(path.parts) != 4 or path.suffix != ".eb":
            continue
        try:
            said = _assigned(content)
            package = names.here(said["name"], NAMES)
            target = path.parts[0]
            items.add(_item(tree, path, said, package))
            for name, _, _ in (*said.get("dependencies", []), *said.get("builddependencies", [])):
                needs.add(Need(target=target, package=package, needs=names.here(name, NAMES)))
        except (SyntaxError, ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"not an easyconfig as it is rendered: {error}"
            raise Unreadable(message, place=Place(file=str(path)), hint="render it again") from error
    if not items:
        raise Unreadable("there is no <target>/<letter>/<Name>/*.eb", hint="render it again")
    return Agreement(items=frozenset(items), needs=frozenset(needs))


def _assigned(content: bytes) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for statement in ast.parse(content).body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise ValueError(f"line {statement.lineno} gives no name a value")
        found[statement.targets[0].id] = ast.literal_eval(statement.value)
    return found


def _item(tree: FileTree, path: PurePosixPath, said: Mapping[str, Any], package: str) -> Item:
    """Return the item, with the bytes of the patches as they lie there when they are those that are checked."""
    count = len(said.get("sources", []))
    sums = said.get("checksums", [])
    patches = []
    for patch, stated in zip(said.get("patches", []), sums[count:], strict=True):
        content = tree.files.get(path.parent / patch["name"])
        there = str(digest.of_bytes(content)) if content is not None else "(missing)"
        patches.append(there if there == stated else f"{there} instead of {stated}")
    for source, stated in zip(said.get("sources", []), sums[:count], strict=True):
        if stated not in source["filename"]:
            raise ValueError(f"{source['filename']} is not the file of {stated}")
    return Item(
        target=path.parts[0],
        package=package,
        version=said["version"],
        sources=tuple(sorted(sums[:count])),
        patches=tuple(patches),
    )
