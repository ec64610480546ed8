"""A drawing of the dependency graph: packages in columns, what is used to the right of what uses it.

The layout is the layered one of Sugiyama, Tagawa and Toda (IEEE Transactions on Systems, Man, and Cybernetics 11(2),
1981): columns by longest path, way points in the columns that an edge crosses, rows ordered by the mean of their
neighbours. Edges that a longer way already tells are left out. The same lock always gives the same drawing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lode.definitions.recipe import Kind
from lode.locking.graph import BUILDING, Lock, topological

LARGEST = 100  # nodes; a larger graph is no longer legible
_BOX_HEIGHT, _ROW, _WAY_ROW, _GAP, _MARGIN = 24.0, 34.0, 14.0, 46.0, 8.0
_CHARACTER, _PADDING = 7.3, 18.0  # pixels: width of a letter at 12 px, room around a label
_SWEEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A package in the drawing, by its left edge and its middle line, in pixels."""

    package: str
    x: float
    y: float
    width: float
    asked: bool  # the stack itself asks for it
    tool: bool  # only needed for building: not installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A dependency, as the commands of an SVG path."""

    user: str
    used: str
    path: str
    tool: bool  # only needed for building


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The laid out graph and its size in pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    box_height: float = _BOX_HEIGHT


def draw(lock: Lock) -> Drawing | None:
    """Return the drawing of the lock's graph, of all its targets; None when it has more than LARGEST nodes."""
    if not 0 < len(lock.nodes) <= LARGEST:
        return None
    edges = {node.package: _used(lock, node.package) for node in lock.nodes}
    order = topological(edges)  # what is used comes first
    reduced = _reduced(edges, order)
    columns = _columns(reduced, order)
    layers, chains = _layers(reduced, columns)
    _arrange(layers, chains)
    return _placed(lock, layers, chains)


def installed(lock: Lock) -> frozenset[str]:
    """Return the packages that are in the tree of at least one target; the rest is needed for building only."""
    edges = {node.package: node.edges for node in lock.nodes}
    waiting = [package for package in map(_asked, lock.requirements) if package in edges]
    found: set[str] = set()
    while waiting:
        package = waiting.pop()
        if package not in found:
            found.add(package)
            waiting += [edge.package for edge in edges[package] if {Kind.LINK, Kind.RUN} & set(edge.kinds)]
    return frozenset(found)


def _asked(requirement: str) -> str:
    return requirement.split()[0]


def _used(lock: Lock, package: str) -> tuple[str, ...]:
    return tuple(edge.package for edge in lock.node(package).edges if BUILDING & set(edge.kinds))


def _reduced(edges: Mapping[str, Sequence[str]], order: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return `edges` without those that a path over another edge implies (the transitive reduction)."""
    below: dict[str, set[str]] = {}
    reduced: dict[str, tuple[str, ...]] = {}
    for user in order:
        reduced[user] = tuple(
            used for used in edges[user] if not any(used in below[other] for other in edges[user] if other != used)
        )
        below[user] = set(edges[user]).union(*(below[used] for used in edges[user]))
    return reduced


def _columns(edges: Mapping[str, Sequence[str]], order: Sequence[str]) -> dict[str, int]:
    """Return each package's column: as far left as its users allow, and no further right than what it uses."""
    columns: dict[str, int] = dict.fromkeys(order, 0)
    for user in reversed(order):
        for used in edges[user]:
            columns[used] = max(columns[used], columns[user] + 1)
    return columns


def _layers(
    edges: Mapping[str, Sequence[str]], columns: Mapping[str, int]
) -> tuple[list[list[str]], dict[tuple[str, str], list[str]]]:
    """Return the columns with their packages and way points, and for each edge the names it passes."""
    layers: list[list[str]] = [[] for _ in range(max(columns.values()) + 1)]
    for package in sorted(columns):
        layers[columns[package]].append(package)
    chains: dict[tuple[str, str], list[str]] = {}
    for user in sorted(edges):
        for used in edges[user]:
            ways = [f"{user}>{used}>{column}" for column in range(columns[user] + 1, columns[used])]
            for column, way in enumerate(ways, start=columns[user] + 1):
                layers[column].append(way)
            chains[user, used] = [user, *ways, used]
    return layers, chains


def _arrange(layers: list[list[str]], chains: Mapping[tuple[str, str], Sequence[str]]) -> None:
    """Order each layer by the mean place of its neighbours, to and fro; ties keep their order."""
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for chain in chains.values():
        for one, other in pairwise(chain):
            left.setdefault(other, []).append(one)
            right.setdefault(one, []).append(other)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, right)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        neighbours = left if forward else right
        for index in range(1, len(layers)) if forward else range(len(layers) - 2, -1, -1):
            fixed = layers[index - 1 if forward else index + 1]
            place = {name: (row + 0.5) / len(fixed) for row, name in enumerate(fixed)}
            own = {name: (row + 0.5) / len(layers[index]) for row, name in enumerate(layers[index])}
            means = {
                name: sum(place[each] for each in neighbours[name]) / len(neighbours[name])
                if neighbours.get(name)
                else own[name]
                for name in layers[index]
            }
            layers[index].sort(key=means.__getitem__)
        found = _crossings(layers, right)
        if found < fewest:
            best, fewest = [list(layer) for layer in layers], found
    layers[:] = best


def _crossings(layers: Sequence[Sequence[str]], right: Mapping[str, Sequence[str]]) -> int:
    count = 0
    for layer, following in pairwise(layers):
        place = {name: row for row, name in enumerate(following)}
        ends = [sorted(place[other] for other in right.get(name, ())) for name in layer]
        for row, mine in enumerate(ends):
            below = [place for theirs in ends[row + 1 :] for place in theirs]
            count += sum(end > other for end in mine for other in below)
    return count


def _placed(lock: Lock, layers: Sequence[Sequence[str]], chains: Mapping[tuple[str, str], Sequence[str]]) -> Drawing:
    packages = {node.package for node in lock.nodes}
    asked = set(map(_asked, lock.requirements))
    present = installed(lock)
    tall = max(_height(layer, packages) for layer in layers)
    boxes: dict[str, Box] = {}
    points: dict[str, tuple[float, float, float]] = {}  # left, middle, right
    x = _MARGIN
    for layer in layers:
        width = max((len(name) * _CHARACTER + _PADDING for name in layer if name in packages), default=_GAP)
        y = _MARGIN + (tall - _height(layer, packages)) / 2
        for name in layer:
            step = _ROW if name in packages else _WAY_ROW
            middle = round(y + step / 2, 1)
            points[name] = (x, middle, x + width)
            if name in packages:
                boxes[name] = Box(
                    package=name, x=round(x, 1), y=middle, width=round(width, 1), asked=name in asked,
                    tool=name not in present,
                )  # fmt: skip
            y += step
        x += width + _GAP
    lines = tuple(
        Line(user=user, used=used, path=_path([points[name] for name in chain]), tool=_for_building(lock, user, used))
        for (user, used), chain in sorted(chains.items())
    )
    return Drawing(
        width=round(x - _GAP + _MARGIN, 1),
        height=round(tall + 2 * _MARGIN, 1),
        boxes=tuple(boxes[name] for name in sorted(boxes)),
        lines=lines,
    )


def _height(layer: Sequence[str], packages: set[str]) -> float:
    return sum(_ROW if name in packages else _WAY_ROW for name in layer)


def _path(points: Sequence[tuple[float, float, float]]) -> str:
    """Return a smooth line from the first box's right side through the way points to the last box's left side."""
    words = [f"M{points[0][2]:.1f} {points[0][1]:.1f}"]
    for (_, from_y, from_x), (to_x, to_y, beyond) in pairwise(points):
        bend = (to_x - from_x) / 2
        words.append(f"C{from_x + bend:.1f} {from_y:.1f} {to_x - bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        if (to_x, to_y, beyond) != points[-1]:
            words.append(f"H{beyond:.1f}")
    return "".join(words)


def _for_building(lock: Lock, user: str, used: str) -> bool:
    return all(not {Kind.LINK, Kind.RUN} & set(edge.kinds) for edge in lock.node(user).edges if edge.package == used)
