"""The lock for Guix: a package module and a manifest for each target.

    <target>/lode/packages.scm, lode/patches/<package>/…    `guix … -L <target>`
    <target>/manifest.scm                                   what the stack asks for

Packages are variables `lode-<package>`, apart from Guix's own. Each needs exactly the others of its module; what it
needs to be used is propagated, so that a profile is what a prefix of Lode is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from lode.definitions.recipe import Recipe
from lode.definitions.target import Target
from lode.locking.graph import Lock, build_order
from lode.rendering import File, Rendering, header, patches
from lode.rendering.guix.expression import Symbol, call, dump
from lode.rendering.guix.package import package, patch_name
from lode.rendering.guix.reading import MODULE, read_back
from lode.rendering.weakening import Inexpressible, Weakening
from lode.tree import FileTree

__all__ = ["read_back", "render"]

_USED = (
    "(gnu packages)", "(guix base16)", "(guix build-system gnu)", "(guix download)", "(guix gexp)", "(guix packages)",
    "(guix search-paths)",
)  # fmt: skip


def render(lock: Lock, *, recipes: Mapping[str, Recipe], file: File) -> Rendering:
    """Return the module, patches and manifest of each target of the lock."""
    files: dict[PurePosixPath, bytes] = {}
    lost: set[Weakening] = set()
    if faults := tuple(patches.changed(lock, recipes, file)):
        raise Inexpressible.of(faults)
    for locked in lock.targets:
        target = locked.definition
        root = PurePosixPath(target.name)
        files[root / MODULE] = _module(lock, target, lost).encode()
        files[root / "manifest.scm"] = _manifest(lock, target).encode()
        for node in lock.nodes:
            for number, patch in enumerate(node.patches):
                if target.name not in patch.targets:
                    continue
                files[root / "lode" / patch_name(node, number)] = file(node.package, patch.file)
    return Rendering(tree=FileTree(files=files), weakenings=tuple(sorted(lost)))


def _module(lock: Lock, target: Target, lost: set[Weakening]) -> str:
    compiler = f"{target.compiler.name} {target.compiler.version}"
    what = (
        f"{target.name} is built with Guix's own compiler and C library, not with {compiler} and glibc {target.glibc}"
    )
    lost.add(Weakening(package="", what=what))
    used = "".join(f"\n  #:use-module {name}" for name in _USED)
    parts = [f"{header.commented(lock, ';;;')}\n(define-module (lode packages){used})\n"]
    for node in build_order(lock, target.name):
        name = Symbol(f"lode-{node.package}")
        parts.append(f"{dump(call('define-public', name, package(node, target, lost)))}\n")
    return "\n".join(parts)


def _manifest(lock: Lock, target: Target) -> str:
    there = {node.package for node in lock.nodes if target.name in node.targets}
    asked = sorted({text.split()[0] for text in lock.requirements} & there)
    listed = call("packages->manifest", call("list", *(Symbol(f"lode-{name}") for name in asked)))
    modules = call("use-modules", call("guix", Symbol("profiles")), call("lode", Symbol("packages")))
    return f"{header.commented(lock, ';;;')}\n{dump(modules)}\n\n{dump(listed)}\n"
