"""Reading the tests of a recipe or a stack."""

from __future__ import annotations

from lode.definitions import language
from lode.definitions.recipe import Test
from lode.definitions.requirement import ALWAYS
from lode.definitions.table import Table


def read(tables: tuple[Table, ...]) -> tuple[Test, ...]:
    """Return the tests in the order written; doubled names and misplaced keys are noted as faults."""
    seen: set[str] = set()
    for table in tables:
        name = table.text("name")
        if name and name in seen:
            table.fault("name", f"two tests are called {name!r}")
        seen.add(name)
    return tuple([_test(table) for table in tables])


def _test(table: Table) -> Test:
    if "compile" not in table:
        for key in ("libraries", "flags"):
            if key in table:
                table.fault(key, f"test: {key} goes with compile only")
    if "prepare" in table and "run" not in table:
        table.fault("prepare", "test: prepare goes with run only")
    if "tolerance" in table and "numbers" not in table:
        table.fault("tolerance", "test: tolerance goes with numbers only")
    return Test(
        name=table.text("name"),
        run=table.text("run"),
        compile=table.text("compile"),
        python=table.text("python"),
        libraries=table.texts("libraries"),
        flags=table.texts("flags"),
        files=table.texts("files"),
        numbers=table.optional("numbers"),
        tolerance=table.text("tolerance"),
        timeout_s=table.integer("timeout_s") or 300,
        prepare=table.text("prepare"),
        when=table.parse("when", language.condition, ALWAYS),
        place=table.place(),
    )


def files(test: Test) -> tuple[str, ...]:
    """Return every file that `test` uses, relative to its recipe or stack."""
    used = [test.compile] if test.compile else []
    used += [test.python] if is_file(test.python) else []
    used += [test.numbers] if test.numbers else []
    return (*used, *test.files)


def is_file(python: str) -> bool:
    """Return whether the Python text of a test is the name of a file."""
    return python.endswith(".py") and "\n" not in python and " " not in python
