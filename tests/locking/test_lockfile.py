"""The lock file: what it looks like, that it comes back whole, and that everything else is refused by its path."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.locking.sample import T, sample_lock, sample_node

from lode.definitions.recipe import Environment, Origin, Upstream
from lode.definitions.stack import Pins, Publish
from lode.definitions.target import Base, Compiler, External, Target
from lode.errors import LockError
from lode.locking import graph, lockfile, nodehash
from lode.locking.graph import Lock

GOLDEN = Path(__file__).parents[1] / "golden" / "locking"
OLDER = "run `lode lock` again: versions and options are kept"
NEWER = "use the lode that wrote it, or a newer one"
AGAIN = "\n  hint: a lock is not edited by hand; run `lode lock` again"


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(lockfile.dump(sample_lock()))
    return loaded


def refused(content: bytes | dict[str, Any]) -> str:
    if isinstance(content, dict):
        content = json.dumps(content).encode()
    with pytest.raises(LockError) as caught:
        lockfile.load(content, "stacks/x/lode.lock")
    return str(caught.value)


def test_dump_is_the_golden_file() -> None:
    assert lockfile.dump(sample_lock(T, "debian13-x86_64")) == (GOLDEN / "sample.lock").read_bytes()


def test_dump_and_load_agree() -> None:
    lock = sample_lock(T, "debian13-x86_64")
    assert lockfile.load(lockfile.dump(lock), "lode.lock") == lock


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(texts, st.lists(texts, max_size=5), st.dictionaries(texts, texts, max_size=4))
def test_any_text_comes_back_whole(text: str, words: list[str], options: dict[str, str]) -> None:
    node = sample_node()
    node = replace(node, summary=text, cite=tuple(words), options=options, build=replace(node.build, script=text))
    lock = sample_lock()
    nodes = nodehash.hashed([node], {T: lock.targets[0].digest})
    lock = lockfile.seal(replace(lock, nodes=nodes, groups={text: ("app",)}, summary=text))
    content = lockfile.dump(lock)
    assert lockfile.load(content, "lode.lock") == lock
    assert lockfile.dump(lockfile.load(content, "lode.lock")) == content


def test_white_space_and_order_of_keys_do_not_count() -> None:
    mixed = json.dumps(document(), indent=7, sort_keys=False).encode()
    assert lockfile.load(mixed, "lode.lock") == sample_lock()


def test_lines_are_sorted_short_and_end_with_a_line_break() -> None:
    lines = lockfile.dump(sample_lock()).decode().split("\n")
    assert lines[-1] == ""
    assert lines[1:3] == [
        '  "collections": [["experiment", "3"], ["lode", "1.0"]],',
        '  "date": "2026-11-01",',
    ]
    edge = '{"constraint": "", "kinds": ["build"], "options": [], "package": "tool", "targets": ["debian12-x86_64"]}'
    assert f"        {edge}" in lines
    assert max(len(line) for line in lines) < 200


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the paths of all keys of objects, except of those that are mappings of free names."""
    found = []
    if isinstance(value, dict):
        free = path and path[-1] in ("options", "hashes", "tools", "groups", "absent")
        for key, item in value.items():
            if not free:
                found.append((*path, key))
            found += paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value[:1]):
            found += paths(item, (*path, index))
    return found


def told(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


@pytest.mark.parametrize("path", [path for path in paths(document()) if path != ("schema",)], ids=told)
def test_each_missing_field_is_named_by_its_path(path: tuple[str | int, ...]) -> None:
    whole = document()
    holder: Any = whole
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    assert refused(whole) == f"stacks/x/lode.lock: {told(path)} is missing{AGAIN}"


def test_unknown_field_is_refused_with_the_nearest_known_one() -> None:
    whole = document()
    whole["nodes"][1]["sumary"] = whole["nodes"][1].pop("summary")
    assert refused(whole) == (
        "stacks/x/lode.lock: nodes[1].sumary is not a field of this lock format\n  hint: did you mean 'summary'?"
    )
    whole = document()
    whole["targets"][0]["definition"]["base"]["note"] = "x"
    message = "stacks/x/lode.lock: targets[0].definition.base.note is not a field of this lock format"
    assert refused(whole) == message + AGAIN


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("date",), 7, "date must be text, not 7"),
        (("nodes", 0, "prebuilt"), "no", "nodes[0].prebuilt must be true or false, not 'no'"),
        (("nodes", 0, "sources", 0, "size"), 1.5, "nodes[0].sources[0].size must be a whole number, not 1.5"),
        (("nodes", 0, "sources", 0, "size"), True, "nodes[0].sources[0].size must be a whole number, not true"),
        (
            ("nodes", 0, "sources", 0, "sha256"),
            "12",
            "nodes[0].sources[0].sha256 must be a sha256 in hexadecimal, not '12'",
        ),
        (("nodes", 0, "tags"), {}, "nodes[0].tags must be a list, not an object"),
        (("nodes", 0, "tags"), ["a", None], "nodes[0].tags[1] must be text, not null"),
        (("nodes", 0, "options", "gdml"), [], "nodes[0].options.gdml must be text, not a list"),
        (("nodes", 0, "hashes"), "x", "nodes[0].hashes must be an object, not 'x'"),
        (("nodes", 0, "build"), None, "nodes[0].build must be an object, not null"),
        (("nodes", 0, "build", "system"), "bazel", None),
        (("collections", 0), ["a"], "collections[0] must be a list of a name and a value, not a list"),
    ],
)
def test_value_of_another_form_is_named_by_its_path(path: tuple[Any, ...], value: Any, message: str | None) -> None:
    whole = document()
    holder: Any = whole
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    message = message or (
        "nodes[0].build.system must be one of cmake, autotools, meson, make, python, wheel, script, bundle, not 'bazel'"
    )
    assert refused(whole) == f"stacks/x/lode.lock: {message}{AGAIN}"


def test_edited_lock_is_refused() -> None:
    content = lockfile.dump(sample_lock()).replace(b'"strip": 1', b'"strip": 2')
    assert refused(content) == (
        "stacks/x/lode.lock: the lock was edited: its content does not have the digest that it states\n"
        "  hint: take the file from version control, or run `lode lock` again: a lock is not edited by hand"
    )


@pytest.mark.parametrize("change", ["version", "hashes", "glibc", "edge"])
def test_hashes_that_do_not_follow_are_refused_although_the_digest_is_right(change: str) -> None:
    lock = sample_lock()
    first, *rest = lock.nodes
    match change:
        case "version":
            forged = replace(lock, nodes=(replace(first, version="7"), *rest))
            message = "the hashes of app 7 do not follow from its fields"
        case "hashes":
            forged = replace(lock, nodes=(replace(first, hashes={}), *rest))
            message = "the hashes of app 6.32.04 do not follow from its fields"
        case "glibc":
            target = lock.targets[0]
            forged = replace(lock, targets=(replace(target, definition=replace(target.definition, glibc="3")),))
            message = f"the digest of target {T} does not follow from its fields"
        case _:
            forged = replace(lock, nodes=(first, rest[1]))
            message = f"the graph of the lock is not whole: app needs lib, which is not there on {T}"
    hint = "take the file from version control, or run `lode lock` again with this lode"
    assert refused(lockfile.dump(lockfile.seal(forged))) == f"stacks/x/lode.lock: {message}\n  hint: {hint}"


@pytest.mark.parametrize(
    ("schema", "message", "hint"),
    [
        (
            0,
            "the lock has schema 0, older than the 1 that this lode reads",
            "run `lode lock` again: versions and options are kept",
        ),
        (
            2,
            "the lock has schema 2, newer than the 1 that this lode reads",
            "use the lode that wrote it, or a newer one",
        ),
        ("1", "schema must be a whole number", "run `lode lock` again"),
    ],
)
def test_lock_of_another_schema_is_refused_with_what_to_do(schema: object, message: str, hint: str) -> None:
    whole = document() | {"schema": schema}
    del whole["nodes"]
    assert refused(whole) == f"stacks/x/lode.lock: {message}\n  hint: {hint}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is not a lock: Expecting value: line 1 column 1 (char 0)"),
        (b"[1]", "this is not a lock: the file holds no object"),
        (b"{}", "schema is missing"),
        (b'{"schema": 1, "schema": 2}', "this is not a lock: the key 'schema' is given twice"),
        (b"\xff", None),
        (b"[" * 100_000, None),
    ],
)
def test_what_is_no_lock_is_refused(content: bytes, message: str | None) -> None:
    assert refused(content).startswith(f"stacks/x/lode.lock: {message or 'this is not a lock: '}")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda lock: replace(lock, nodes=lock.nodes[::-1]), "the nodes are not sorted by package, each once"),
        (
            lambda lock: replace(lock, nodes=(*lock.nodes, lock.nodes[-1])),
            "the nodes are not sorted by package, each once",
        ),
        (lambda lock: replace(lock, targets=lock.targets * 2), "the targets are not sorted by name, each once"),
        (lambda lock: replace(lock, targets=()), f"app is on {T}, which is no target of the lock"),
        (lambda lock: replace(lock, requirements=("nobody >=1",)), "the stack has nobody, which is not there"),
        (lambda lock: replace(lock, groups={"daq": ("nobody",)}), "daq has nobody, which is not there"),
    ],
)
def test_lock_whose_parts_do_not_fit_together_is_refused(broken: Callable[[Lock], Lock], message: str) -> None:
    forged = lockfile.seal(broken(sample_lock()))
    assert f"the graph of the lock is not whole: {message}\n" in refused(lockfile.dump(forged))


def test_nodes_in_a_circle_are_refused() -> None:
    lock = sample_lock()
    app, lib, tool = lock.nodes
    back = replace(lib, edges=(replace(app.edges[0], package="app"),))
    message = refused(lockfile.dump(lockfile.seal(replace(lock, nodes=(app, back, tool)))))
    assert "nodes of the lock need each other in a circle: " in message


def test_versions_of_a_lock_that_cannot_be_read_are_made_out() -> None:
    content = lockfile.dump(sample_lock()).replace(b'"schema": 1', b'"schema": 0')
    assert lockfile.versions(content) == {"app": "6.32.04", "lib": "6.32.04", "tool": "6.32.04"}
    assert lockfile.versions(b"{") == lockfile.versions(b'{"nodes": 3}') == {}


def test_preparation_of_a_test_is_read_back_and_is_not_written_when_there_is_none() -> None:
    lock = sample_lock()
    prepared = lockfile.seal(replace(lock, tests=(replace(lock.tests[0], prepare="cc a.c"),)))
    assert lockfile.load(lockfile.dump(prepared), "l").tests[0].prepare == "cc a.c"
    assert b'"prepare": "cc a.c"' in lockfile.dump(prepared)
    assert lockfile.load(lockfile.dump(lock), "l") == lock


def test_every_field_of_every_class_is_in_the_file() -> None:
    classes = [Lock, *(getattr(graph, name) for name in dir(graph) if name.startswith("Locked"))]
    classes += [graph.Edge, graph.ExternalEdge, graph.Node, graph.Extended]
    classes += [Target, Base, Compiler, External, Pins, Publish, Environment, Origin, Upstream]
    keys: set[frozenset[str]] = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            keys.add(frozenset(value))
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            collect(item)

    collect(document())
    test = sample_lock().tests[0]
    collect(json.loads(lockfile.dump(lockfile.seal(replace(sample_lock(), tests=(replace(test, prepare="cc"),))))))
    for cls in classes:
        assert frozenset(field.name for field in fields(cls) if field.name not in ("place", "mirror")) in keys, (
            cls.__name__
        )
