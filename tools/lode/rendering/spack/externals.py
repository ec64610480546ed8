"""The compiler and the tools of the OS as packages of the repository: Spack's own ones without what a build needs.

Spack's solver looks at all that could ever be a dependency, and through what a compiler or CMake would be built with
that is half of Spack's packages. These ask for variants of a `python` or `zlib` that packages of ours, which stand
before Spack's, do not have, and Spack gives up. A tool that the OS brings is never built, so that nothing is lost.
"""

from __future__ import annotations

from lode.rendering import names
from lode.rendering.spack.directive import call, docstring
from lode.rendering.spack.words import Words

COMPILERS = {"clang": "llvm", "gcc": "gcc"}  # Lode's name of a compiler -> Spack's package of it
# Packages of Spack's own whose class does more than being there: they give dependents `cmake`, `make` and the like.
_ROLES = frozenset((
    "autoconf", "automake", "bison", "cmake", "flex", "gawk", "gettext", "glibc", "gmake", "libtool", "m4", "meson",
    "ninja", "perl", "pkgconf", "python", *COMPILERS.values(),
))  # fmt: skip
CALLED = ("cmake", "gmake", "meson", "ninja")  # what the classes of Spack's build systems ask for by themselves


def externals(words: Words) -> dict[str, str]:
    """Return the text of package.py, without header, of each compiler and tool of the targets, by Spack's name.

    Tools that build systems ask for are among them, whether a target brings them or not.
    """
    versions: dict[str, set[str]] = {name: set() for name in CALLED}
    for target in words.targets:
        compiler = COMPILERS.get(target.compiler.name, target.compiler.name)
        versions.setdefault(compiler, set()).add(target.compiler.version)
        versions.setdefault("glibc", set()).add(target.glibc)
        for tool in target.externals:
            versions.setdefault(words.name(tool.package), set()).add(tool.version)
    return {name: _package(name, sorted(found), words) for name, found in sorted(versions.items())}


def _package(name: str, versions: list[str], words: Words) -> str:
    own = names.class_name(name)
    support = f"from spack_repo.{words.namespace}.build_systems import lode\n\nfrom spack.package import *\n\n\n"
    summary = f"    {docstring(f'{name} as the OS brings it')}\n"
    if name in _ROLES:
        module = f"spack_repo.builtin.packages.{names.module_name(name)}.package"
        first = f"from {module} import {own} as Builtin\n"
        return f"{first}{support}class {own}(Builtin):\n{summary}\n\nlode.external({own})\n"
    lines = "".join(f"    {call('version', version)}\n" for version in versions)
    return (
        f"from spack_repo.builtin.build_systems.generic import Package\n{support}class {own}(Package):\n{summary}\n"
        f"    has_code = False\n\n{lines}"
    )
