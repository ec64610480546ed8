"""Where a tree is cut into catalogs: decided by the tree and the repository's rules alone."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping

from lode.definitions.repository import Nesting
from lode.inventory import printable


def cuts(members: Mapping[str, int], nesting: Nesting) -> frozenset[str]:
    """Return the folders of a tree, other than its root, that get a catalog of their own.

    `members` says of each folder, "" the root, how many entries lie directly in it, a folder after the one it lies in.
    Folders that a pattern names are cut off. Of the others, from the bottom up, one is cut off as soon as it holds
    `split` entries that are not; where many smaller ones add up to more than `maximum`, the largest of them are. So a
    catalog passes the maximum only when one single folder holds that many. A folder whose name is not UTF-8 is never
    cut off: tools read the paths of catalogs as text.
    """
    weights = {folder: 1 + count for folder, count in members.items()}  # a folder counts in its parent as well
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


def sizes(members: Mapping[str, int], cut: frozenset[str]) -> dict[str, int]:
    """Return how many entries the catalog of each folder in `cut`, and of the tree's root "", holds; with its marker.

    Sorted by folder.
    """
    catalogs: dict[str, str] = {}
    found = dict.fromkeys(["", *sorted(cut)], 2)
    for folder, count in members.items():
        catalogs[folder] = folder if folder in cut or not folder else catalogs[_parent(folder)]
        found[catalogs[folder]] += count
    return found


def warnings(sizes: Mapping[str, int], nesting: Nesting) -> tuple[str, ...]:
    """Return in words which of the catalogs of `sizes` are too large: nothing can be cut off a single folder."""
    return tuple(
        f"the catalog of {printable(path) or 'the tree'} has {size} entries, more than {nesting.maximum}: "
        "one folder alone holds that many"
        for path, size in sizes.items()
        if size > nesting.maximum + 1
    )


def _matcher(globs: Iterable[str]) -> re.Pattern[str] | None:
    patterns = [r"/".join(_component(part) for part in glob.split("/")) for glob in globs]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.DOTALL) if patterns else None


def _component(glob: str) -> str:
    return fnmatch.translate(glob).removeprefix("(?s:").removesuffix(r")\Z").replace(".*", "[^/]*")


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _is_text(path: str) -> bool:
    return path.isascii() or path.encode("utf-8", "replace") == path.encode("utf-8", "surrogateescape")
