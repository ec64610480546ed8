"""What a package is called elsewhere: the few OS tools that others name differently, and names of code.

A package of Lode has lower-case letters, digits and single dashes between them and begins with a letter, so the forms
below never make two names one, but for those that `class_name` says.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping

# Lode's name of what an OS brings -> the same in the ecosystem, where it differs.
SPACK: Mapping[str, str] = {"make": "gmake"}
CONDA: Mapping[str, str] = {"pkgconf": "pkg-config"}
EASYBUILD: Mapping[str, str] = {
    "autoconf": "Autoconf", "automake": "Automake", "bison": "Bison", "cmake": "CMake", "libtool": "libtool",
    "m4": "M4", "make": "make", "ninja": "Ninja", "perl": "Perl", "pkgconf": "pkgconf", "python": "Python",
}  # fmt: skip
GUIX: Mapping[str, str] = {"cmake": "cmake-minimal", "make": "gnu-make", "pkgconf": "pkg-config"}


def elsewhere(package: str, names: Mapping[str, str]) -> str:
    """Return the name of `package` in the ecosystem of `names`."""
    return names.get(package, package)


def here(name: str, names: Mapping[str, str]) -> str:
    """Return Lode's name of what the ecosystem of `names` calls `name`."""
    return next((package for package, other in names.items() if other == name), name)


def module_name(package: str) -> str:
    """Return the name of `package` as a Python module: dashes are underscores, a keyword gets one in front.

    As Spack does (`spack.util.naming.pkg_name_to_pkg_dir`, package API 2).
    """
    name = package.replace("-", "_")
    return f"_{name}" if keyword.iskeyword(name) or name[:1].isdigit() else name


def class_name(package: str) -> str:
    """Return the name of `package` as a Python class: `py-numpy` is `PyNumpy` (as Spack does).

    `a-b` and `ab` differ in case only, `a-1` and `a1` not at all: unique only within a module of its own.
    """
    name = "".join(part.capitalize() for part in package.split("-"))
    return f"_{name}" if keyword.iskeyword(name) or name[:1].isdigit() else name


def variable_name(package: str) -> str:
    """Return the name of `package` as a variable of shell or CMake: upper case, dashes are underscores."""
    return package.upper().replace("-", "_")
