"""What rendered contexts of image builds say: which nodes a Containerfile builds, and what their words are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from lode import digest
from lode.errors import Place
from lode.rendering.agreement import Agreement, Item, Need, Unreadable
from lode.rendering.containerfile.node import read
from lode.tree import FileTree

FILE = "Containerfile"
_AGAIN = "render it again"
_RUN = re.compile(r"^RUN /lode/bin/build ([a-z0-9 -]+)$", re.MULTILINE)


def read_back(tree: FileTree) -> Agreement:
    """Return what the Containerfiles `<target>/Containerfile` of `tree` build."""
    items: set[Item] = set()
    needs: set[Need] = set()
    for path, content in sorted(tree.files.items()):
        if len(path.parts) == 2 and path.name == FILE:
            for name in _built(content):
                place = path.parent / "nodes" / name / "node.sh"
                try:
                    _node(tree, place, items, needs)
                except (ValueError, IndexError, KeyError) as error:
                    said = f"{error.args[0]} is not there" if isinstance(error, KeyError) else str(error)
                    message = f"not a package as it is rendered: {said}"
                    raise Unreadable(message, place=Place(file=str(place)), hint=_AGAIN) from error
    if not items:
        raise Unreadable(f"there is no <target>/{FILE} that builds anything", hint=_AGAIN)
    return Agreement(items=frozenset(items), needs=frozenset(needs))


def _built(content: bytes) -> Iterator[str]:
    """Yield the names of the packages that a Containerfile builds, as often as it does."""
    for match in _RUN.finditer(content.decode(errors="replace").replace("\\\n", " ")):
        yield from match[1].split()


def _node(tree: FileTree, path: PurePosixPath, items: set[Item], needs: set[Need]) -> None:
    if path not in tree.files:
        raise KeyError(str(path))
    target, package = path.parts[0], path.parent.name
    version = ""
    sources: list[str] = []
    patches: list[str] = []
    for word, *rest in read(tree.files[path].decode()):
        match word:
            case "package":
                if rest[0] != package:
                    raise ValueError(f"{package} is called {rest[0]}")
                version = rest[1]
            case "needs":
                needs |= {Need(target=target, package=package, needs=other) for other in rest}
            case "from_mirror":
                if rest[0] not in rest[1]:
                    raise ValueError(f"{rest[1]} is not the file of {rest[0]}")
                sources.append(rest[0])
            case "apply":
                content = tree.files.get(path.parent / rest[1])
                patches.append(str(digest.of_bytes(content)) if content is not None else "(missing)")
            case "present" | "from_address" | "unpack" | "place":
                pass
            case _:
                raise ValueError(f"{word} is no word of a package")
    items.add(
        Item(
            target=target,
            package=package,
            version=version,
            sources=tuple(sorted(sources)),
            patches=tuple(patches),
        )
    )
