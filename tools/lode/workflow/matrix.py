"""The matrix page: made from the test reports that lie in release folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lode import tree
from lode.config import Places
from lode.errors import HostError, UsageError
from lode.testing import matrix as matrices
from lode.testing import results
from lode.testing.matrix import Matrix
from lode.workflow.report import find_release

PAGE, DOCUMENT = "matrix.html", "matrix.json"
_TESTS = "tests.json"


def collect(places: Places, references: Sequence[str]) -> tuple[Matrix, ...]:
    """Return the matrix of each release that `references` name: a stack (`name`, `name@release`) or a release folder.

    UsageError when a release is not there, or none of its targets has been tested.
    """
    return tuple(of_release(find_release(places.releases, reference)) for reference in references)


def of_release(folder: Path) -> Matrix:
    """Return the matrix of the release in `folder`; UsageError when none of its targets has been tested."""
    files = sorted(folder.glob(f"*/{_TESTS}"))
    if not files:
        raise UsageError(f"no target of the release in {folder} has been tested", hint="`lode release` tests it")
    return matrices.matrix(results.load(file.read_bytes(), str(file)) for file in files)


def write(found: Sequence[Matrix], folder: Path) -> Path:
    """Write the page and its JSON document into `folder`, and return the page; HostError when that cannot be done."""
    try:
        tree.replace(folder / DOCUMENT, matrices.dump(found))
        tree.replace(folder / PAGE, matrices.html(found))
    except OSError as error:
        raise HostError(f"{folder} cannot be written: {error.strerror}", hint="name another folder with -o") from error
    return folder / PAGE
