"""The lock for EasyBuild 5: an easyconfig for each node on each target, where its robot looks for it.

    <target>/<letter>/<Name>/<Name>-<version>-<stack>-<release>.eb, patches beside it

The version suffix keeps the modules apart from others of the same software. Everything is built with the compiler of
the OS, which EasyBuild calls the system toolchain. A source is asked for by its hash, in the layout of Lode's mirror.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from lode import digest
from lode.definitions.recipe import Recipe
from lode.errors import Fault
from lode.locking.graph import Lock, Node
from lode.rendering import File, Rendering, header
from lode.rendering.easybuild.easyconfig import easyconfig
from lode.rendering.easybuild.reading import read_back
from lode.rendering.easybuild.words import called, suffix
from lode.rendering.weakening import Inexpressible, Weakening
from lode.tree import FileTree

__all__ = ["read_back", "render"]


def render(lock: Lock, *, recipes: Mapping[str, Recipe], file: File) -> Rendering:
    """Return the easyconfigs and patches of all nodes on all targets of the lock."""
    mark = header.commented(lock)
    files: dict[PurePosixPath, bytes] = {}
    lost: set[Weakening] = set()
    faults: list[Fault] = []
    for locked in lock.targets:
        target = locked.definition
        compiler = f"{target.compiler.name} {target.compiler.version}"
        what = f"the compiler of {target.name} is the one of the OS: that it is {compiler} is not checked"
        lost.add(Weakening(package="", what=what))
        for node in lock.nodes:
            if target.name not in node.targets:
                continue
            name = called(node.package)
            folder = PurePosixPath(target.name, name[0].lower(), name)
            text = easyconfig(lock, node, target, lost)
            files[folder / f"{name}-{node.version}{suffix(lock)}.eb"] = f"{mark}\n{text}".encode()
            files |= _patches(node, target.name, folder, file, recipes[node.package], faults)
    if faults:
        raise Inexpressible.of(faults)
    return Rendering(tree=FileTree(files=files), weakenings=tuple(sorted(lost)))


def _patches(
    node: Node, target: str, folder: PurePosixPath, file: File, recipe: Recipe, faults: list[Fault]
) -> dict[PurePosixPath, bytes]:
    """Return the patches by their file names, as EasyBuild finds them beside the easyconfig."""
    found: dict[PurePosixPath, bytes] = {}
    for patch in node.patches:
        if target not in patch.targets:
            continue
        path = folder / PurePosixPath(patch.file).name
        content = file(node.package, patch.file)
        if digest.of_bytes(content) != patch.sha256:
            message = f"{node.package}: the patch {patch.file} changed since the lock was made"
            faults.append(Fault(message=message, place=recipe.place, hint="`lode lock` renews the lock"))
        elif found.setdefault(path, content) != content:
            message = f"{node.package}: two patches are called {path.name}"
            faults.append(Fault(message=message, place=recipe.place, hint="give them names of their own"))
        elif not path.name.endswith((".patch", ".diff")):
            message = f"{node.package}: EasyBuild does not take {path.name} for a patch"
            faults.append(Fault(message=message, place=recipe.place, hint="let its name end in .patch"))
    return found
