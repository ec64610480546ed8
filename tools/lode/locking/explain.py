"""Why a package is in a lock: the chains of requests that lead to it from the stack's requirements."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from lode.definitions.language import requirement
from lode.definitions.recipe import Kind
from lode.locking.graph import Edge, Lock

STACK = "stack"  # who asks first; no package asks under this name, since every package has its version behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One request in a chain: who asks whom for what, and on which targets."""

    asker: str  # "stack", or package and version
    request: str  # "zlib >=1.2"
    kinds: tuple[Kind, ...]
    targets: tuple[str, ...]
    package: str  # what it leads to
    version: str | None  # None: a tool of the target's OS


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The chains to a package, shortest first, and whether there are more than those."""

    package: str
    chains: tuple[tuple[Link, ...], ...]
    more: bool


def why(lock: Lock, package: str, *, limit: int = 50) -> Explanation:
    """Return the chains to `package`, at most `limit`; none when the lock does not need it.

    Each chain holds on some target as a whole. A tool that a target's OS brings has chains too: they end at the OS.
    """
    chains = tuple(islice(_chains(_links(lock), _external_links(lock, package), package), limit + 1))
    return Explanation(package=package, chains=chains[:limit], more=len(chains) > limit)


def _links(lock: Lock) -> Mapping[str, list[Link]]:
    """Return for each package the links that lead to its node, the stack's own first."""
    nodes = {node.package: node for node in lock.nodes}
    asking: dict[str, list[Link]] = defaultdict(list)
    for text in lock.requirements:
        node = nodes[requirement(text).package]
        asking[node.package].append(
            Link(asker=STACK, request=text, kinds=(), targets=node.targets, package=node.package, version=node.version)
        )
    for node in lock.nodes:
        for edge in node.edges:
            asking[edge.package].append(
                Link(
                    asker=f"{node.package} {node.version}",
                    request=_spell(edge),
                    kinds=edge.kinds,
                    targets=edge.targets,
                    package=edge.package,
                    version=nodes[edge.package].version,
                )
            )
    return asking


def _external_links(lock: Lock, package: str) -> list[Link]:
    return [
        Link(
            asker=f"{node.package} {node.version}",
            request=f"{external.package} {external.constraint}".strip(),
            kinds=(Kind.BUILD,),
            targets=external.targets,
            package=package,
            version=None,
        )
        for node in lock.nodes
        for external in node.externals
        if external.package == package
    ]


def _chains(asking: Mapping[str, list[Link]], last: list[Link], package: str) -> Iterator[tuple[Link, ...]]:
    """Yield chains by length, those of equal length by the names along them; never through a package twice."""
    waiting: deque[tuple[Link, ...]] = deque((link,) for link in [*asking.get(package, ()), *last])
    while waiting:
        chain = waiting.popleft()
        if chain[0].asker == STACK:
            yield chain
            continue
        shared = frozenset.intersection(*(frozenset(link.targets) for link in chain))
        passed = {link.package for link in chain}
        for link in asking.get(_name(chain[0]), ()):
            if _name(link) not in passed and not shared.isdisjoint(link.targets):
                waiting.append((link, *chain))


def _name(link: Link) -> str:
    return link.asker.partition(" ")[0]


def _spell(edge: Edge) -> str:
    words = [edge.package, edge.constraint, *(f"{name}={value}" for name, value in edge.options)]
    return " ".join(word for word in words if word)
