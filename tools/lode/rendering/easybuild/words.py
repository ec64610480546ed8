"""Names, shell words and templates of EasyBuild."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lode.locking.graph import Lock
from lode.rendering import names

# Lode's names of software that EasyBuild's own easyconfigs spell otherwise.
NAMES: Mapping[str, str] = {
    **names.EASYBUILD,
    "cython": "Cython", "hdf5": "HDF5", "hepmc3": "HepMC3", "libzmq": "ZeroMQ", "mcpl": "MCPL", "meson": "Meson",
    "nest": "NEST", "pyzmq": "PyZMQ", "xz": "XZ",
}  # fmt: skip
_TEMPLATE = re.compile(r"%+(?=\(\w+\)s)")


def called(package: str) -> str:
    """Return what `package` is called in EasyBuild."""
    return names.elsewhere(package, NAMES)


def suffix(lock: Lock) -> str:
    """Return the version suffix of all modules of `lock`."""
    return f"-{lock.stack}-{lock.release}"


def plain(text: str) -> str:
    """Return `text` so that EasyBuild's templates (`%(name)s`) leave it as it is.

    A run of per cent signs before one is doubled (easybuild.framework.easyconfig.easyconfig.resolve_template, 5.x).
    """
    return _TEMPLATE.sub(lambda match: match[0] * 2, text)
