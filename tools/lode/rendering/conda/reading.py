"""What rendered recipes of conda say, read from recipe.yaml and the patches beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from lode import digest
from lode.errors import Place
from lode.rendering.agreement import Agreement, Item, Need, Unreadable
from lode.tree import FileTree

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, and ten times as fast where it was compiled
_AGAIN = "render it again"


def read_back(tree: FileTree) -> Agreement:
    """Return what the files `<target>/recipes/<package>/recipe.yaml` of `tree` say."""
    return read(tree, "recipe.yaml")


def read(tree: FileTree, name: str) -> Agreement:
    """Return what the files called `name` of `tree` say, in which both forms of recipes are alike."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for path, content in sorted(tree.files.items()):
        if len(path.parts) == 4 and path.parts[1] == "recipes" and path.name == name:
            found[path.parts[0], path.parts[2]] = _document(path, content)
    if not found:
        raise Unreadable(f"there is no <target>/recipes/<package>/{name}", hint=_AGAIN)
    items: set[Item] = set()
    needs: set[Need] = set()
    for (target, package), document in found.items():
        path = PurePosixPath(target, "recipes", package, name)
        try:
            items.add(_item(tree, path, document))
            pins = [one for kind in ("build", "host", "run") for one in document["requirements"][kind]]
            for needed, version, string in (pin.split() for pin in pins if _is_exact(pin)):
                other = found.get((target, needed))
                if other is None or not _is_met(other, version, string):
                    raise Unreadable(f"no recipe makes {needed} {version} {string}", place=Place(file=str(path)))
                needs.add(Need(target=target, package=package, needs=needed))
        except (KeyError, TypeError, AttributeError) as error:
            raise Unreadable("not a recipe as it is rendered", place=Place(file=str(path)), hint=_AGAIN) from error
    return Agreement(items=frozenset(items), needs=frozenset(needs))


def _document(path: PurePosixPath, content: bytes) -> Mapping[str, Any]:
    try:
        document = yaml.load(content, Loader=_LOADER)  # noqa: S506
    except yaml.YAMLError as error:
        raise Unreadable(f"not YAML: {error}", place=Place(file=str(path)), hint=_AGAIN) from error
    if not isinstance(document, dict):
        raise Unreadable("not a recipe as it is rendered", place=Place(file=str(path)), hint=_AGAIN)
    return document


def _item(tree: FileTree, path: PurePosixPath, document: Mapping[str, Any]) -> Item:
    sources: list[str] = []
    patches: list[str] = []
    for source in document["source"]:
        if "path" in source:
            content = tree.files.get(path.parent / source["path"])
            patches.append(str(digest.of_bytes(content)) if content is not None else "(missing)")
        else:
            sources.append(source["sha256"])
    name = document["package"]["name"]
    if name != path.parent.name:
        raise Unreadable(f"the recipe of {path.parent.name} makes {name}", place=Place(file=str(path)), hint=_AGAIN)
    return Item(
        target=path.parts[0],
        package=name,
        version=document["extra"]["lode"]["version"],
        sources=tuple(sorted(sources)),
        patches=tuple(patches),
    )


def _is_exact(pin: str) -> bool:
    """Return whether a requirement has a build string, as those on nodes of the lock do."""
    return len(pin.split()) == 3 and "{" not in pin


def _is_met(document: Mapping[str, Any], version: str, string: str) -> bool:
    return version == f"=={document['package']['version']}" and string == document["build"]["string"]
