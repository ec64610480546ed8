"""The lock in the words of other ecosystems: plain files of theirs, with which a user can leave Lode.

A renderer is a module below this one that fits `Renderer`. It is pure: from the lock, the recipes and their files it
makes a tree of files in memory, the same bytes every time. Everything that the ecosystem cannot say is an error or a
weakening that the user sees. What a renderer wrote can be read back, in the words of that ecosystem, and must agree
with the lock.

Structured files are built as values and dumped; every text that enters a file of code goes through `quoting`; every
file that can hold a comment begins with `header.lines`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from lode.definitions.recipe import Recipe
from lode.errors import UsageError
from lode.locking.graph import Lock
from lode.rendering.agreement import Agreement
from lode.rendering.weakening import Weakening
from lode.tree import FileTree

File = Callable[[str, str], bytes]  # package and path relative to its recipe -> content; package "" is the stack's own

# name -> (module, one line about what it writes)
RENDERERS: dict[str, tuple[str, str]] = {
    "spack": ("lode.rendering.spack", "a Spack package repository, and an environment for each target"),
    "easybuild": ("lode.rendering.easybuild", "easyconfigs of EasyBuild, one for each node and target"),
    "conda": ("lode.rendering.conda", "v1 recipes for rattler-build, with compilers of conda-forge or of the OS"),
    "conda-build": ("lode.rendering.conda_build", "recipes for conda-build: meta.yaml, build.sh, variants"),
    "lcgcmake": ("lode.rendering.lcgcmake", "packages of LCGCMake and the file of their versions, for each target"),
    "containerfile": ("lode.rendering.containerfile", "the context of an image build that makes all of it, by target"),
    "guix": ("lode.rendering.guix", "a package module of Guix and a manifest for each target"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """What a renderer made: files, and what they say less exactly than the lock, sorted."""

    tree: FileTree
    weakenings: tuple[Weakening, ...] = ()


class Renderer(Protocol):
    """What the modules of `RENDERERS` offer."""

    def render(self, lock: Lock, *, recipes: Mapping[str, Recipe], file: File) -> Rendering:
        """Return `lock` in the words of the ecosystem.

        `recipes` holds the recipe of every node, and may hold more; `file` reads the files of recipes (patches, tests)
        and, for package "", of the stack. `weakening.Inexpressible` names all that cannot be said at all.
        """

    def read_back(self, tree: FileTree) -> Agreement:
        """Return what the files of `tree` say: nodes and edges, read in the ecosystem's own format.

        `agreement.Unreadable` names a file that is not what the renderer writes. Files that are not the renderer's
        are left alone.
        """


def renderer(name: str) -> Renderer:
    """Return the renderer called `name`; UsageError when there is none."""
    from importlib import import_module

    if name not in RENDERERS:
        raise UsageError(f"there is no renderer called {name!r}", hint=f"there are: {', '.join(RENDERERS)}")
    return cast("Renderer", import_module(RENDERERS[name][0]))
