"""The kinds of places that a source can come from: each gives the ways to its bytes, one after the other.

Finding the ways may itself ask the network or the machine's settings, and may be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lode.definitions.recipe import Origin
from lode.sourcing.access import Wanted
from lode.sourcing.origins import debian, git, local, pypi
from lode.sourcing.origins.way import Way, at
from lode.sourcing.reach import Reach

NETWORK = ("pypi", "debian")  # schemes that have to ask before they know a way


def ways(origin: Origin, wanted: Wanted, reach: Reach, recipe_file: Callable[[str], Path]) -> Iterator[Way]:
    """Yield the ways to `wanted` that `origin` knows, the best first; Refused when it cannot say any.

    `recipe_file` gives a file by its path relative to the recipe that the source belongs to.
    """
    match origin.scheme:
        case "url":
            yield at(origin.location)
        case "pypi":
            yield from pypi.ways(origin.location, wanted, reach)
        case "debian":
            yield from debian.ways(origin.location, reach)
        case "git":
            yield git.way(origin.location)
        case "path":
            yield local.way(recipe_file(origin.location))
        case other:
            raise ValueError(f"not a scheme of origins: {other!r}")
