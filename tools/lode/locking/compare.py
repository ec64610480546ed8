"""What differs between two locks, node by node, and the rules that forced it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from lode.definitions.language import requirement
from lode.definitions.version import Constraint, Version
from lode.locking.extension import restricted
from lode.locking.graph import Edge, Lock, Node


class Turn(StrEnum):
    """What happened to a node."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to one node, what in it, and why."""

    package: str
    turn: Turn
    old: str | None  # version
    new: str | None
    what: tuple[str, ...]  # "option gdml: false to true", "source", "build steps", "dependency zlib added" …
    rules: tuple[str, ...]  # what forced it: "hdf5 2.0 asks zlib >=1.3"
    rebuilt: tuple[str, ...]  # targets on which the node's hash is another

    def __str__(self) -> str:
        """Return the change as one line."""
        versions = {
            Turn.ADDED: f"+ {self.package} {self.new}",
            Turn.REMOVED: f"- {self.package} {self.old}",
            Turn.CHANGED: f"~ {self.package} {self.old}" + (f" to {self.new}" if self.new != self.old else ""),
        }[self.turn]
        told = "; ".join(part for part in (", ".join(self.what), ", ".join(self.rules)) if part)
        return f"{versions}: {told}" if told else versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that differs between two locks; empty exactly when their digests are equal."""

    head: tuple[str, ...]  # what is not a node: requirements, targets, pins, tools …
    changes: tuple[Change, ...]  # sorted by package

    def __bool__(self) -> bool:
        """Return whether anything differs."""
        return bool(self.head or self.changes)

    def lines(self) -> tuple[str, ...]:
        """Return everything, one line each."""
        return (*self.head, *(str(change) for change in self.changes))


def compare(old: Lock, new: Lock, *, why: Mapping[str, str] | None = None) -> Comparison:
    """Return what is different in `new`.

    `why` tells for some packages why they have another version, for when no request for them does: two locks alone do
    not say what was asked to be updated, or what a whole chain of requests leaves.
    """
    before = {node.package: node for node in old.nodes}
    after = {node.package: node for node in new.nodes}
    changes = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            changes.append(_added(after[name]))
        elif name not in after:
            changes.append(_removed(before[name]))
        elif before[name] != after[name]:
            changes.append(_changed(before, after, name, old, new, (why or {}).get(name)))
    return Comparison(head=tuple(_head(old, new)), changes=tuple(changes))


def _added(node: Node) -> Change:
    return Change(
        package=node.package,
        turn=Turn.ADDED,
        old=None,
        new=node.version,
        what=(),
        rules=tuple(_asked(reason) for reason in node.reasons),
        rebuilt=node.targets,
    )


def _removed(node: Node) -> Change:
    return Change(
        package=node.package,
        turn=Turn.REMOVED,
        old=node.version,
        new=None,
        what=(),
        rules=tuple(f"no longer: {_asked(reason)}" for reason in node.reasons),
        rebuilt=(),
    )


def _changed(
    before: Mapping[str, Node], after: Mapping[str, Node], name: str, old: Lock, new: Lock, why: str | None
) -> Change:
    was, now = before[name], after[name]
    rules = list(_rules(was, now, old, new))
    if was.version != now.version and not rules:
        rules = [why or "chosen anew"]
    return Change(
        package=name,
        turn=Turn.CHANGED,
        old=was.version,
        new=now.version,
        what=tuple(_what(was, now, before, after, _digests(old), _digests(new))),
        rules=tuple(rules),
        rebuilt=tuple(target for target in now.targets if was.hashes.get(target) != now.hashes[target]),
    )


def _rules(was: Node, now: Node, old: Lock, new: Lock) -> Iterable[str]:
    """Yield the requests that the old choice does not meet, and those gone that the new one would not have met."""
    then, today = set(_requests(was.package, old)), set(_requests(now.package, new))
    for asker, constraint, options in sorted(today):
        refused = not Constraint.parse(constraint).admits(Version(was.version))
        if refused or any(was.options.get(option) != value for option, value in options):
            yield f"{asker} asks {_spell(now.package, constraint, options)}"
    for asker, constraint, options in sorted(then - today):
        refused = not Constraint.parse(constraint).admits(Version(now.version))
        if refused or any(now.options.get(option) != value for option, value in options):
            yield f"no longer: {asker} asks {_spell(was.package, constraint, options)}"


_Asked = tuple[str, str, tuple[tuple[str, str], ...]]  # asker, constraint, options


def _requests(package: str, lock: Lock) -> Iterable[_Asked]:
    for text in lock.requirements:
        request = requirement(text)
        if request.package == package:
            yield "the stack", str(request.constraint), request.options
    for node in lock.nodes:
        for edge in node.edges:
            if edge.package == package:
                yield f"{node.package} {node.version}", edge.constraint, edge.options


def _spell(package: str, constraint: str, options: tuple[tuple[str, str], ...]) -> str:
    words = [package, constraint, *(f"{name}={value}" for name, value in options)]
    return " ".join(word for word in words if word)


def _asked(reason: str) -> str:
    asker, _, request = reason.partition(": ")
    return f"{'the stack' if asker == 'stack' else asker} asks {request}"


def _what(
    was: Node,
    now: Node,
    before: Mapping[str, Node],
    after: Mapping[str, Node],
    targets_before: Mapping[str, str],
    targets_after: Mapping[str, str],
) -> Iterable[str]:
    yield from _options(was, now)
    yield from _targets(was, now)
    shared = tuple(target for target in now.targets if target in was.targets)
    yield from _fields(restricted(was, shared, was.reasons), restricted(now, shared, now.reasons))
    yield from _dependencies(was, now, before, after)
    for target in shared:
        if targets_before[target] != targets_after[target]:
            yield f"target {target}"
    if was.recipe != now.recipe and was.version == now.version and was.hashes == now.hashes:
        yield "recipe (nothing that is built)"
    if replace(was, reasons=now.reasons) == now:
        yield "asked for by others"
    if replace(was, hashes=now.hashes) == now and targets_before == targets_after and not _moved(was, before, after):
        yield "the way of hashing"


def _moved(node: Node, before: Mapping[str, Node], after: Mapping[str, Node]) -> bool:
    return any(before[edge.package].hashes != after[edge.package].hashes for edge in node.edges)


def _fields(was: Node, now: Node) -> Iterable[str]:
    same_version = was.version == now.version
    for told, different in (
        ("source", same_version and _sources(was) != _sources(now)),
        ("places of the source", same_version and _places(was) != _places(now)),
        ("patches", was.patches != now.patches),
        ("build steps", was.build != now.build or was.languages != now.languages),
        ("tests", was.tests != now.tests),
        ("environment", was.environment != now.environment),
        ("tools of the OS", was.externals != now.externals),
        ("provider", was.provider != now.provider),
        ("libraries of the OS", was.system_libraries != now.system_libraries),
        ("description", _description(was) != _description(now)),
    ):
        if different:
            yield told


def _options(was: Node, now: Node) -> Iterable[str]:
    for name in sorted(was.options.keys() | now.options.keys()):
        old, new = was.options.get(name), now.options.get(name)
        if old != new:
            yield f"option {name}: {old or 'absent'} to {new or 'absent'}"
        elif was.absent.get(name) != now.absent.get(name):
            yield f"option {name} on other targets"


def _targets(was: Node, now: Node) -> Iterable[str]:
    yield from (f"now on {target}" for target in now.targets if target not in was.targets)
    yield from (f"no longer on {target}" for target in was.targets if target not in now.targets)


def _dependencies(was: Node, now: Node, before: Mapping[str, Node], after: Mapping[str, Node]) -> Iterable[str]:
    old, new = _edges(was.edges), _edges(now.edges)
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield f"dependency {name} added"
        elif name not in new:
            yield f"dependency {name} removed"
        elif old[name] != new[name]:
            yield f"dependency {name} asked for otherwise"
        elif before[name].hashes != after[name].hashes:
            yield f"dependency {name} changed"


def _edges(edges: tuple[Edge, ...]) -> dict[str, list[Edge]]:
    found: dict[str, list[Edge]] = {}
    for edge in edges:
        found.setdefault(edge.package, []).append(edge)
    return found


def _sources(node: Node) -> list[object]:
    return [(one.sha256, one.directory, one.subdirectory, one.unpack, one.targets) for one in node.sources]


def _places(node: Node) -> list[object]:
    return [(one.origins, one.filename, one.size, one.swhid) for one in node.sources]


def _description(node: Node) -> tuple[object, ...]:
    return node.summary, node.homepage, node.license, node.redistributable, node.cite, node.tags, node.upstream


def _digests(lock: Lock) -> dict[str, str]:
    return {target.definition.name: target.digest for target in lock.targets}


def _head(old: Lock, new: Lock) -> Iterable[str]:
    if (old.stack, old.release) != (new.stack, new.release):
        yield f"stack {old.stack}@{old.release} to {new.stack}@{new.release}"
    yield from _lists("requirement", old.requirements, new.requirements)
    yield from _lists("target", _digests(old), _digests(new))
    for name in sorted(_digests(old).keys() & _digests(new).keys()):
        if old.target(name) != new.target(name):
            rebuilds = "everything on it is built again" if _digests(old)[name] != _digests(new)[name] else "no rebuild"
            yield f"target {name} changed: {rebuilds}"
    if old.extends != new.extends:
        yield f"extends {_extended(old)} to {_extended(new)}"
    for told, was, now in (
        ("date", old.date, new.date),
        ("summary", old.summary, new.summary),
        ("groups", old.groups, new.groups),
        ("pins", old.pins, new.pins),
        ("publish", old.publish, new.publish),
        ("tests of the stack", old.tests, new.tests),
        ("collections", old.collections, new.collections),
        ("tools", old.tools, new.tools),
    ):
        if was != now:
            yield f"{told} changed"


def _lists(name: str, old: Collection[str], new: Collection[str]) -> Iterable[str]:
    yield from (f"{name} added: {text}" for text in sorted(set(new) - set(old)))
    yield from (f"{name} removed: {text}" for text in sorted(set(old) - set(new)))


def _extended(lock: Lock) -> str:
    return f"{lock.extends.stack}@{lock.extends.release} ({lock.extends.digest[:12]})" if lock.extends else "nothing"
