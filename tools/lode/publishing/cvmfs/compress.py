"""Deflating: the engines that a repository may choose from. All write zlib streams; each has its own bytes."""

from __future__ import annotations

import importlib
import zlib
from functools import partial

from lode.definitions.repository import Compression
from lode.errors import HostError
from lode.publishing.cvmfs.objects import Deflate

_MODULES = {"isal": ("isal", "isal.isal_zlib"), "zlib-ng": ("zlib-ng", "zlib_ng.zlib_ng")}  # project, module


def deflate(compression: Compression) -> Deflate:
    """Return the function that compresses as the repository says; HostError when its engine is not installed.

    The same content gives the same bytes wherever the same version of the engine runs; all release the interpreter's
    lock while they work.
    """
    if compression.engine == "zlib":
        return partial(zlib.compress, level=compression.level)
    project, module = _MODULES[compression.engine]
    try:
        engine = importlib.import_module(module)
    except ImportError as error:
        raise HostError(
            f"the compression engine {compression.engine} is not installed", hint=f"python3 -m pip install {project}"
        ) from error
    compress: Deflate = partial(engine.compress, level=compression.level)
    return compress
