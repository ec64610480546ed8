"""Names of packages and variables in LCGCMake."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from lode.rendering import names

# Lode's names of packages that the heptools files spell otherwise.
NAMES: Mapping[str, str] = {
    "boost": "Boost", "clhep": "CLHEP", "geant4": "Geant4", "gsl": "GSL", "python": "Python",
    "root": "ROOT", "xerces-c": "XercesC",
}  # fmt: skip
PROJECTS = frozenset(("root",))  # of the application area: LCG_AA_project
# targets that CMake makes itself: https://cmake.org/cmake/help/latest/policy/CMP0037.html
_RESERVED = frozenset(("all", "clean", "depend", "help", "install", "package", "test", "codegen", "preinstall", "lode"))


@lru_cache(maxsize=65536)
def called(package: str) -> str:
    """Return the name of `package`: LCGCMake takes what follows a dash in a dependency for a version."""
    name = names.elsewhere(package, NAMES).replace("-", "_")
    return f"{name}_" if name in _RESERVED else name


def here(name: str) -> str:
    """Return Lode's name of what `called` calls `name`."""
    return names.here(name, NAMES) if name in NAMES.values() else name.rstrip("_").replace("_", "-")
