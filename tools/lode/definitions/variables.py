"""The variables that a recipe's arguments and build environment may name, whatever builds it.

`lode check` refuses any other; the builder and every renderer replace exactly these and keep all other text, so that a
recipe means the same everywhere. Shell texts of a recipe (prepare, script, finish) are not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "PREFIX": "where to install",
        "SRC_DIR": "the root of the source",
        "JOBS": "how many compilers may run at once",
        "PYTHON": "the interpreter in the prefix, if there is one",
        "PATH": "where programs are looked for",
        "CC": "the C compiler",
        "CXX": "the C++ compiler",
        "FC": "the Fortran compiler",
        "CFLAGS": "flags for C",
        "CXXFLAGS": "flags for C++",
        "FFLAGS": "flags for Fortran",
        "CPPFLAGS": "flags for the preprocessor",
        "LDFLAGS": "flags for the linker",
    }
)
LITERAL = frozenset(
    {"ORIGIN", "LIB", "PLATFORM"}
)  # ld.so's own, which stay as they are: ld.so(8), "Rpath token expansion"

_ANY = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Return what finds `$NAME` and `${NAME}` of `names` in a text; the name is in the first or the second group."""
    alternatives = "|".join(sorted(names))
    return re.compile(rf"\$(?:\{{({alternatives})\}}|({alternatives})(?![A-Za-z0-9_]))")


def unknown(text: str) -> tuple[str, int] | None:
    """Return the first variable in `text` that no recipe may name, and the place of its `$`, or None."""
    if "$" not in text:
        return None
    for match in _ANY.finditer(text):
        name = match[1] or match[2]
        if name not in VARIABLES and name not in LITERAL:
            return name, match.start()
    return None
