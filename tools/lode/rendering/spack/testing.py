"""The tests of a recipe as stand-alone tests of a package.py, run by `spack test run`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from lode.definitions.read_tests import files, is_file
from lode.definitions.recipe import Recipe, Test
from lode.rendering.quoting import python
from lode.rendering.spack.directive import docstring
from lode.rendering.spack.directive import lines as text_lines
from lode.rendering.spack.words import Words


def tests(recipe: Recipe, words: Words) -> Iterator[str]:
    """Yield a method for each test."""
    taken: set[str] = set()
    for test in recipe.tests:
        name = re.sub(r"[^a-z0-9]+", "_", test.name.lower()).strip("_") or "test"
        while name in taken:
            name += "_again"
        taken.add(name)
        yield _method(f"test_{name}", recipe, test, words)


def test_files(recipe: Recipe) -> tuple[str, ...]:
    """Return the files that tests of `recipe` need, relative to its folder, sorted; those outside of it left out."""
    used = {file for test in recipe.tests for file in files(test)}
    return tuple(sorted(file for file in used if not PurePosixPath(file).is_absolute() and ".." not in file))


def _method(name: str, recipe: Recipe, test: Test, words: Words) -> str:
    lines = [docstring(f"{recipe.name}: {test.name}")]
    conditions = words.conditions(recipe, test.when)
    if not conditions:
        lines.append('raise SkipTest("not for any version or system of this repository")')
    elif conditions != ("",):
        met = " or ".join(f"self.spec.satisfies({python(one)})" for one in conditions)
        lines += [f"if not ({met}):", f"    raise SkipTest({python(f'only when {test.when}')})"]
    if conditions:
        lines += _call(test)
    return "\n".join([f"    def {name}(self):", *(f"        {line}" for line in lines)])


def _call(test: Test) -> list[str]:
    named: dict[str, object] = {}
    if test.compile:
        named = {"compile": test.compile, "libraries": list(test.libraries), "flags": list(test.flags)}
    elif is_file(test.python):
        named = {"python_file": test.python}
    elif test.python:
        named = {"python_text": test.python}
    else:
        named = {"run": "\n".join(filter(None, (test.prepare, test.run)))}
    if test.numbers:
        named |= {"numbers": test.numbers, "tolerance": test.tolerance}
    if test.timeout_s != 300:
        named["timeout"] = test.timeout_s
    words = [
        f"    {key}={text_lines(value, 12) if isinstance(value, str) else python(value)},"
        for key, value in named.items()
        if value not in ([], "")
    ]
    return ["lode.test(", "    self,", *words, ")"]
