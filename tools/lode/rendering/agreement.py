"""What any output must say just as the lock does: which nodes, of which bytes, with which patches, needing what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lode.errors import VerificationError
from lode.locking.graph import BUILDING, Lock, dependencies


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Item:
    """One node on one target, as an output says it."""

    target: str
    package: str  # Lode's name for it
    version: str
    sources: tuple[str, ...] = ()  # sha256 of each, sorted
    patches: tuple[str, ...] = ()  # sha256 of each file, in the order of applying
    delegated: bool = False  # the ecosystem's own package stands in: its sources and edges are not told


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Need:
    """One node's dependency on another on a target: to be built, linked or run, but not what tests alone need."""

    target: str
    package: str
    needs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """All nodes and edges that an output, or a lock, speaks of."""

    items: frozenset[Item]
    needs: frozenset[Need]


class Unreadable(VerificationError):
    """A file is not what the renderer writes: it was edited, or is not there."""


def of_lock(lock: Lock, *, targets: tuple[str, ...] = ()) -> Agreement:
    """Return what `lock` says of `targets`; of all its targets when none is named."""
    items: set[Item] = set()
    needs: set[Need] = set()
    for target in targets or tuple(target.definition.name for target in lock.targets):
        for node in lock.nodes:
            if target not in node.targets:
                continue
            item = Item(
                target=target,
                package=node.package,
                version=node.version,
                sources=tuple(sorted(str(source.sha256) for source in node.sources if target in source.targets)),
                patches=tuple(str(patch.sha256) for patch in node.patches if target in patch.targets),
            )
            items.add(item)
            needs |= {
                Need(target=target, package=node.package, needs=other) for other in dependencies(node, target, BUILDING)
            }
    return Agreement(items=frozenset(items), needs=frozenset(needs))


def differences(lock: Lock, output: Agreement, *, targets: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return a sentence for each thing that `output` says otherwise than `lock` does of `targets`, sorted.

    For a delegated item only the version counts, and only where the stack delegates the package.
    """
    expected = of_lock(lock, targets=targets)
    return tuple(sorted({*_items(lock, expected, output), *_needs(expected, output)}))


def _items(lock: Lock, expected: Agreement, output: Agreement) -> Iterator[str]:
    wanted = {(item.target, item.package): item for item in expected.items}
    found: dict[tuple[str, str], list[Item]] = {}
    for item in output.items:
        found.setdefault((item.target, item.package), []).append(item)
    upstream = {node.package for node in lock.nodes if node.provider == "upstream"}
    for key in sorted(wanted.keys() | found.keys()):
        place = f"{key[1]} on {key[0]}"
        if key not in found:
            yield f"{place} is missing"
        elif key not in wanted:
            yield f"{place} is not in the lock"
        elif len(found[key]) > 1:
            yield f"{place} is there {len(found[key])} times"
        else:
            yield from _item(place, wanted[key], found[key][0], may_delegate=key[1] in upstream)


def _item(place: str, wanted: Item, found: Item, *, may_delegate: bool) -> Iterator[str]:
    if wanted.version != found.version:
        yield f"{place} has version {found.version}, the lock says {wanted.version}"
    if found.delegated:
        if not may_delegate:
            yield f"{place} is left to the ecosystem's own package, which the stack does not ask for"
        return
    for what, said, meant in (("sources", found.sources, wanted.sources), ("patches", found.patches, wanted.patches)):
        if said != meant:
            yield f"{place} has the {what} {_shown(said)}, the lock says {_shown(meant)}"


def _needs(expected: Agreement, output: Agreement) -> Iterator[str]:
    silent = {(item.target, item.package) for item in output.items if item.delegated}
    missing_items = {(item.target, item.package) for item in expected.items} - {
        (item.target, item.package) for item in output.items
    }
    for need in expected.needs - output.needs:
        if (need.target, need.package) not in silent | missing_items:
            yield f"{need.package} on {need.target} does not need {need.needs}, the lock says it does"
    for need in output.needs - expected.needs:
        yield f"{need.package} on {need.target} needs {need.needs}, the lock does not say so"


def _shown(digests: tuple[str, ...]) -> str:
    return ", ".join(digest[:12] for digest in digests) or "(none)"
