"""Hashes of nodes and targets: every field moves them or is on the list of those left out; golden values hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from tests.locking.sample import T, sample_edges, sample_lock, sample_node, sample_target, sha
from tests.locking.world import World, target

from lode.definitions.recipe import Kind, System
from lode.digest import Digest
from lode.locking import nodehash
from lode.locking.graph import Node

GOLDEN = Path(__file__).parents[1] / "golden" / "locking"


def hash_of(node: Node) -> Digest:
    """Return the hash of `node` with its dependencies."""
    others = [sample_node("lib"), sample_node("tool"), sample_node("other")]
    return nodehash.hashed([node, *others], {T: sha("target")})[0].hashes[T]


def app() -> Node:
    return sample_node("app", sample_edges())


def parts(value: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield (class, field, the whole with that field changed) for every field of `value` and all that it holds."""
    for field in fields(value):
        held = getattr(value, field.name)
        yield type(value).__name__, field.name, replace(value, **{field.name: changed(field.name, held)})
        for name, inner, other in inside(held):
            yield name, inner, replace(value, **{field.name: other})


def inside(held: Any) -> Iterator[tuple[str, str, Any]]:
    if is_dataclass(held) and not isinstance(held, type):
        yield from parts(held)
    elif isinstance(held, tuple):
        for index, item in enumerate(held):
            if is_dataclass(item):
                for name, inner, other in parts(item):
                    yield name, inner, (*held[:index], other, *held[index + 1 :])


def changed(name: str, held: Any) -> Any:
    match held:
        case _ if name == "kinds":
            return (Kind.RUN,)
        case _ if name == "hashes":
            return {T: sha("other")}
        case _ if name == "package" and held in ("lib", "tool"):
            return "other"
        case System():
            return System.MESON
        case StrEnum():
            return next(other for other in type(held) if other is not held)
        case Digest():
            return sha("other")
        case bool():
            return not held
        case int():
            return held + 1
        case str():
            return held + "x"
        case None:
            return "x"
        case tuple() | Mapping():
            return type(held)()
        case _:
            blank = {field.name: () if isinstance(getattr(held, field.name), tuple) else None for field in fields(held)}
            return replace(held, **blank) if all(value == () or value is None for value in blank.values()) else held


def cases() -> list[Any]:
    found = {}
    for name, field, node in parts(app()):
        found.setdefault((name, field), []).append(node)
    return [pytest.param(name, field, nodes, id=f"{name}.{field}") for (name, field), nodes in found.items()]


NOT_HASHED = {"Origin", "ExternalEdge", "LockedTest", "Environment", "Upstream"}  # only in fields that are left out
CONTAINERS = {"build"}  # a value of several fields, each of which is tried


@pytest.mark.parametrize(("name", "field", "nodes"), cases())
def test_each_field_of_a_node_moves_its_hash_or_is_left_out_with_a_reason(
    name: str, field: str, nodes: list[Node]
) -> None:
    moved = any(hash_of(node) != hash_of(app()) for node in nodes if node.targets == (T,))
    if name in NOT_HASHED or field in nodehash.LEFT_OUT[name]:
        seldom = field in ("filename", "targets", "package")  # hashed in a way, see the reason
        assert seldom or not moved
    elif field not in CONTAINERS:
        assert moved


@pytest.mark.parametrize(
    ("name", "field", "changed_target"),
    [pytest.param(name, field, other, id=f"{name}.{field}") for name, field, other in parts(sample_target())],
)
def test_each_field_of_a_target_moves_its_digest_or_is_left_out(name: str, field: str, changed_target: Any) -> None:
    moved = nodehash.of_target(changed_target) != nodehash.of_target(sample_target())
    left_out = field in nodehash.LEFT_OUT[name] and not (name == "Compiler" and field == "name")
    if field in ("base", "compiler"):
        return  # their fields are tried one by one
    assert moved is not left_out


def test_list_of_fields_left_out_names_only_fields_that_exist() -> None:
    from lode.definitions import target as target_module
    from lode.locking import graph

    for name, left_out in nodehash.LEFT_OUT.items():
        cls = getattr(graph, name, None) or getattr(target_module, name)
        assert set(left_out) <= {field.name for field in fields(cls)}, name


def test_filename_counts_for_what_is_not_unpacked_only() -> None:
    packed, plain = app().sources
    assert hash_of(replace(app(), sources=(replace(packed, filename="b.zip"), plain))) == hash_of(app())
    assert hash_of(replace(app(), sources=(packed, replace(plain, filename="b.txt")))) != hash_of(app())


def test_hash_follows_the_hashes_of_dependencies_to_build_link_and_run_but_not_to_test() -> None:
    def with_lib(version: str, kind: Kind) -> Digest:
        edge = replace(sample_edges()[0], kinds=(kind,))
        nodes = [sample_node("app", (edge,)), replace(sample_node("lib"), version=version)]
        return nodehash.hashed(nodes, {T: sha("target")})[0].hashes[T]

    for kind in (Kind.BUILD, Kind.LINK, Kind.RUN):
        assert with_lib("1", kind) != with_lib("2", kind)
    assert with_lib("1", Kind.TEST) == with_lib("2", Kind.TEST)


def test_hash_follows_the_target() -> None:
    one = nodehash.hashed([sample_node()], {T: sha("one")})[0].hashes
    other = nodehash.hashed([sample_node()], {T: sha("other")})[0].hashes
    assert one != other


def test_adding_a_version_or_renaming_the_folder_moves_no_hash() -> None:
    world = World(target())
    world.add("zlib", "1.2 1.3")
    before = world.lock("zlib ==1.2").node("zlib")
    world.add("zlib", "1.2 1.3 1.4")
    world.recipes["zlib"] = replace(world.recipes["zlib"], folder="/elsewhere/zlib", place=None)
    after = world.lock("zlib ==1.2").node("zlib")
    assert before == after


def test_option_that_a_target_does_not_have_is_not_hashed_there() -> None:
    without = replace(app(), absent={"std": (T,)})
    assert hash_of(without) == hash_of(replace(app(), options={"gdml": "true"}))


def test_another_target_moves_no_hash_of_this_one() -> None:
    world = World(target())
    world.add("zlib", options=["gpu=false when os=el"])
    alone = world.lock("zlib").node("zlib").hashes
    world.targets["el9-x86_64"] = target("el9-x86_64")
    assert world.lock("zlib").node("zlib").hashes["debian12-x86_64"] == alone["debian12-x86_64"]


def test_hashes_are_the_golden_ones() -> None:
    lock = sample_lock(T, "debian13-x86_64")
    found = {
        "targets": {target.definition.name: target.digest for target in lock.targets},
        "nodes": {node.package: dict(node.hashes) for node in lock.nodes},
        "lock": lock.digest,
    }
    assert found == json.loads((GOLDEN / "hashes.json").read_text())
