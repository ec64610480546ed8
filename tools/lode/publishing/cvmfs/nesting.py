"""Where a tree is cut into catalogs: decided by the tree and the repository's rules alone."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

from lode.definitions.repository import Nesting
from lode.inventory import Entry, EntryType


def cuts(entries: Iterable[Entry], nesting: Nesting) -> frozenset[str]:
    """Return the folders of a tree, other than its root, that get a catalog of their own; `entries` in order.

    Folders that a pattern names are cut off. Of the others, from the bottom up, one is cut off as soon as it holds
    `split` entries that are not; where many smaller ones add up to more than `maximum`, the largest of them are. So a
    catalog passes the maximum only when one single folder holds that many. A folder whose name is not UTF-8 is never
    cut off: tools read the paths of catalogs as text.
    """
    weights: dict[str, int] = {"": 1}
    for entry in entries:
        if entry.type is EntryType.DIRECTORY:
            weights[entry.path] = 1
        weights[_parent(entry.path)] += 1  # a folder counts in its parent as well, as a mount point would
    named = _matcher(nesting.cut)
    found: set[str] = set()
    whole: dict[str, list[tuple[int, str]]] = {}  # of a folder, those in it that are not cut off
    for folder in reversed(weights):
        for size, child in sorted(whole.pop(folder, ()), key=lambda pair: (-pair[0], pair[1])):
            if weights[folder] > nesting.maximum and size > 1:
                found.add(child)
                weights[folder] -= size - 1
        weight = weights[folder]
        if not folder:
            break
        if _is_text(folder) and ((named and named.fullmatch(folder)) or weight >= nesting.split):
            found.add(folder)
            continue
        parent = _parent(folder)
        weights[parent] += weight - 1
        if _is_text(folder):
            whole.setdefault(parent, []).append((weight, folder))
    return frozenset(found)


def sizes(entries: Iterable[Entry], cut: frozenset[str]) -> dict[str, int]:
    """Return how many entries the catalog of each folder in `cut`, and of the tree's root "", holds; with its marker.

    Sorted by folder.
    """
    catalogs = {"": ""}
    found = {"": 2, **dict.fromkeys(sorted(cut), 2)}
    for entry in entries:
        own = catalogs[_parent(entry.path)]
        found[own] += 1
        if entry.type is EntryType.DIRECTORY:
            catalogs[entry.path] = entry.path if entry.path in cut else own
    return found


def _matcher(globs: Iterable[str]) -> re.Pattern[str] | None:
    patterns = [r"/".join(_component(part) for part in glob.split("/")) for glob in globs]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.DOTALL) if patterns else None


def _component(glob: str) -> str:
    return fnmatch.translate(glob).removeprefix("(?s:").removesuffix(r")\Z").replace(".*", "[^/]*")


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _is_text(path: str) -> bool:
    return path.isascii() or path.encode("utf-8", "replace") == path.encode("utf-8", "surrogateescape")
