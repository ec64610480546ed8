"""The patches of a node on a target, with the bytes that were locked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lode import digest
from lode.definitions.recipe import Recipe
from lode.errors import Fault
from lode.locking.graph import Lock, LockedPatch, Node
from lode.rendering import File


def on(node: Node, target: str) -> tuple[LockedPatch, ...]:
    """Return the patches of `node` on `target` in the order of applying."""
    return tuple(patch for patch in node.patches if target in patch.targets)


def changed(lock: Lock, recipes: Mapping[str, Recipe], file: File) -> Iterator[Fault]:
    """Yield a fault for each patch file that is not the one that was locked."""
    for node in lock.nodes:
        for patch in node.patches:
            if digest.of_bytes(file(node.package, patch.file)) != patch.sha256:
                message = f"{node.package}: the patch {patch.file} changed since the lock was made"
                place = recipes[node.package].place
                yield Fault(message=message, place=place, hint="`lode lock` renews the lock")
