"""Reading stack.yaml: keys by their form, then everything that must hold within one stack."""

from __future__ import annotations

from functools import partial

from lode import yamldoc
from lode.definitions import language, read_tests
from lode.definitions.requirement import Requirement
from lode.definitions.shape import read_table
from lode.definitions.stack import Group, Pins, Publish, StackDefinition
from lode.definitions.stack_forms import STACK
from lode.definitions.table import Table, parse
from lode.yamldoc import meant

_NOTHING = Requirement(package="")


def read(
    content: bytes, *, file: str, folder: str = "", name: str | None = None, release: str | None = None
) -> StackDefinition:
    """Return the stack in `content`; DefinitionError with every fault.

    `name` and `release` are those of its folders, `stacks/<name>/<release>/`, which the stack must have too.
    """
    document = yamldoc.compose(content, file)
    table = read_table(document, document.root, STACK, "stack")
    for key, folder_name in (("name", name), ("release", release)):
        if folder_name is not None and table.text(key) not in ("", folder_name):
            hint = f"rename the folder or write: {key}: {folder_name!r}"
            table.fault(key, f"{key}: {table.text(key)!r} is in the folder {folder_name!r}", hint=hint)
    requirements = _requirements(table)
    known = {request.package for request in requirements}
    pins, publish = table.table("pins"), table.table("publish")
    stack = StackDefinition(
        name=table.text("name"),
        release=table.text("release"),
        date=table.text("date"),
        summary=table.text("summary"),
        targets=tuple(sorted(table.texts("targets"))),
        requirements=requirements,
        extends=table.optional("extends"),
        groups=_groups(table, known),
        own=tuple(sorted(table.texts("own"))),
        upstream=tuple(sorted(table.texts("upstream"))),
        pins=Pins(
            spack=pins.optional("spack"),
            spack_packages=pins.optional("spack-packages"),
            conda_channels=_channels(pins),
        ),
        tests=read_tests.read(table.tables("tests")),
        publish=Publish(
            cvmfs=publish.text("cvmfs"), registry=publish.optional("registry"), channel=publish.optional("channel")
        ),
        folder=folder,
        place=table.place(),
    )
    _refuse_own_options(table)
    document.finish()
    return stack


def _requirements(table: Table) -> tuple[Requirement, ...]:
    found: dict[str, Requirement] = {}
    for node, text in table.items("requirements"):
        if not text:
            continue
        place = table.document.place(node)
        parser = partial(language.requirement, place=place)
        request = parse(table.document, node, "requirement", text, parser, _NOTHING)
        if request.package and request.package in found:
            hint = f"join it with the one at {found[request.package].place}"
            table.document.fault(node, f"{request.package} is required twice", hint=hint)
        found[request.package] = request
    return tuple([found[package] for package in sorted(found)])


def _groups(table: Table, known: set[str]) -> tuple[Group, ...]:
    found = []
    for _, name, packages in table.named("groups"):
        if "extends" not in table:  # else the other stack may require it: the resolver knows
            for package in packages:
                if package and package not in known:
                    hint = meant(package, known) or "add it to requirements"
                    message = f"the group {name!r} has {package}, which the stack does not require"
                    table.document.fault(_item_node(table, name, package), message, hint=hint)
        found.append(Group(name=name, packages=tuple(sorted(packages))))
    return tuple(found)


def _item_node(table: Table, group: str, package: str) -> yamldoc.Node:
    for key_node, value_node in table.nodes["groups"].value:
        if key_node.value == group:
            node: yamldoc.Node = next(item for item in value_node.value if item.value == package)
            return node
    raise KeyError(group)


def _channels(pins: Table) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for table in pins.tables("conda-channels"):
        name = table.text("name")
        if name in found and name:
            table.fault("name", f"the channel {name!r} is pinned twice")
        found[name] = table.text("snapshot")
    return tuple(sorted(found.items()))


def _refuse_own_options(table: Table) -> None:
    """Note a fault where a stack's test has a condition on options: a stack has none."""
    for test in table.tables("tests"):
        if "when" not in test or not test.text("when"):
            continue
        try:
            condition = language.condition(test.text("when"))
        except language.LanguageError:
            continue
        if condition.options or condition.version.clauses:
            hint = "a stack's test can depend on targets and packages: os=debian ^python>=3.12"
            test.fault("when", "when: a stack has no options and no version of its own", hint=hint)
