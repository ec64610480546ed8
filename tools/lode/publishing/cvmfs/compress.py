"""Deflating: the engines that a repository may choose from. Both write zlib streams; each has its own bytes."""

from __future__ import annotations

import zlib
from functools import partial

from lode.definitions.repository import Compression
from lode.publishing.cvmfs.objects import Deflate


def deflate(compression: Compression) -> Deflate:
    """Return the function that compresses as the repository says; it releases the interpreter's lock while it works.

    `libdeflate` is the library that Lode brings along: the same content gives the same bytes on every processor. `zlib`
    is the host's: the original one gives the bytes of `cvmfs_server`, its drop-in replacements others.
    """
    if compression.engine == "zlib":
        return partial(zlib.compress, level=compression.level)
    from deflate import zlib_compress

    return partial(zlib_compress, compresslevel=compression.level)
