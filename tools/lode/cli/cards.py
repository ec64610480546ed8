"""The text that `lode show` prints of a recipe, a stack and a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from lode.definitions.recipe import Recipe, Test
from lode.definitions.stack import StackDefinition
from lode.definitions.target import Target
from lode.workflow.browse import newest

Row = tuple[str, ...]


def recipe(recipe: Recipe) -> str:
    """Return what a user wants to know of `recipe`."""
    upstream = (("spack", recipe.upstream.spack), ("conda", recipe.upstream.conda))
    rows = [
        ("homepage", recipe.homepage),
        ("licence", recipe.license + ("" if recipe.redistributable else " (not redistributable)")),
        ("cite", ", ".join(recipe.cite)),
        ("tags", ", ".join(recipe.tags)),
        ("maintainers", ", ".join(recipe.maintainers)),
        ("built with", ", ".join((str(recipe.build.system), *recipe.languages))),
        ("elsewhere", ", ".join(f"{name}: {package}" for name, package in upstream if package)),
        ("file", recipe.place.file if recipe.place else ""),
    ]
    return _card(
        f"{recipe.name} {newest(recipe)}",
        recipe.summary,
        rows,
        {
            "versions": list(_versions(recipe)),
            "options": [
                (f"{option.name}={option.default}", "|".join(option.values), option.summary, _when(str(option.when)))
                for option in recipe.options
            ],
            "dependencies": [
                (", ".join(dependency.kinds), str(dependency.requirement), _when(str(dependency.when)))
                for dependency in recipe.dependencies
            ],
            "conflicts": [
                (str(conflict.requirement), _when(str(conflict.when)), conflict.reason) for conflict in recipe.conflicts
            ],
            "environment": _environment(recipe),
            "tests": [_test(test) for test in recipe.tests],
        },
    )


def stack(stack: StackDefinition) -> str:
    """Return what a user wants to know of `stack`."""
    rows = [
        ("date", stack.date),
        ("targets", ", ".join(stack.targets)),
        ("extends", stack.extends or ""),
        ("own", ", ".join(stack.own)),
        ("upstream", ", ".join(stack.upstream)),
        ("cvmfs", stack.publish.cvmfs),
        ("registry", stack.publish.registry or ""),
        ("channel", stack.publish.channel or ""),
        ("file", stack.place.file if stack.place else ""),
    ]
    pins = (("spack", stack.pins.spack), ("spack-packages", stack.pins.spack_packages), *stack.pins.conda_channels)
    return _card(
        f"{stack.name} {stack.release}",
        stack.summary,
        rows,
        {
            "requirements": [(str(request),) for request in stack.requirements],
            "groups": [(group.name, ", ".join(group.packages)) for group in stack.groups],
            "pins": [(name, pin) for name, pin in pins if pin],
            "tests": [_test(test) for test in stack.tests],
        },
    )


def target(target: Target) -> str:
    """Return what a user wants to know of `target`."""
    base = target.base
    snapshot = f" at {base.snapshot}" if base.snapshot else ""
    rows = [
        ("base", f"{base.image or base.suite}{snapshot}"),
        ("compiler", f"{target.compiler.name} {target.compiler.version} ({', '.join(target.compiler.languages)})"),
        ("glibc", target.glibc),
        ("libstdc++", f"GLIBCXX_{target.libstdcxx}"),
        ("march", target.microarchitecture),
        ("supported until", target.end_of_life or ""),
        ("file", target.place.file if target.place else ""),
    ]
    return _card(
        target.name,
        f"{target.os} {target.os_version} on {target.arch}",
        rows,
        {
            "tools of the OS": [
                (external.package, external.version, external.system_package, external.program)
                for external in target.externals
            ],
            "packages of the builder": [(package,) for package in target.system_packages],
            "packages of the runtime image": [(package,) for package in target.runtime_packages],
        },
    )


def _card(title: str, summary: str, rows: Sequence[tuple[str, str]], parts: dict[str, list[Row]]) -> str:
    lines = [f"{click.style(title, bold=True)}  {summary}"]
    lines += _columns([(name, value) for name, value in rows if value])
    for heading, entries in parts.items():
        if entries:
            lines += ["", click.style(heading, bold=True), *_columns(entries)]
    return "\n".join(lines)


def _columns(rows: Sequence[Row]) -> Iterator[str]:
    count = max((len(row) for row in rows), default=0)
    widths = [max(len(row[index]) if index < len(row) else 0 for row in rows) for index in range(count)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False) if width]
        yield "  " + "  ".join(cells).rstrip()


def _versions(recipe: Recipe) -> Iterator[Row]:
    for one in recipe.versions:
        places = [f"{source.origins[0].scheme}: {source.origins[0].location}" for source in one.sources]
        notes = [f"deprecated: {one.deprecated}"] if one.deprecated else []
        notes += [f"patched: {patch.reason}" for patch in one.patches]
        first = places[0] if places else ""
        yield one.version.text, first
        for more in (*places[1:], *notes):
            yield "", more


def _environment(recipe: Recipe) -> list[Row]:
    environment = recipe.environment
    return [
        *_assignments("prepend", environment.prepend),
        *_assignments("set", environment.set),
        *_assignments("value", environment.value),
    ]


def _assignments(word: str, pairs: Iterable[tuple[str, str]]) -> Iterator[Row]:
    for name, value in pairs:
        yield word, name, value


def _test(test: Test) -> Row:
    how = "run" if test.run else "compile" if test.compile else "python"
    numbers = f"numbers within {test.tolerance} of {test.numbers}" if test.numbers else ""
    return test.name, how, _when(str(test.when)), numbers


def _when(condition: str) -> str:
    return f"when {condition}" if condition else ""
