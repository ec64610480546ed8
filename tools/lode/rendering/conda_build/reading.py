"""What rendered recipes of conda-build say, read from meta.yaml and the patches beside it."""

from __future__ import annotations

from lode.rendering.agreement import Agreement
from lode.rendering.conda.reading import read
from lode.tree import FileTree


def read_back(tree: FileTree) -> Agreement:
    """Return what the files `<target>/recipes/<package>/meta.yaml` of `tree` say.

    Templates stand in quotes only, so that the files are YAML before conda-build fills them in as well as after.
    """
    return read(tree, "meta.yaml")
