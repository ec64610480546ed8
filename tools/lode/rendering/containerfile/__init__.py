"""The lock as the context of an image build for each target: a Containerfile and all that it copies.

    README.md
    <target>/Containerfile            a stage that builds, and the image that users run
    <target>/bin/build                builds one package after the other
    <target>/sources/                 where a mirror of sources may be put
    <target>/nodes/<package>/         node.sh, build.sh, patches

Each package is built by the very script that Lode's own builder runs, in a prefix that holds what it needs, at the
final path. The context is all that Docker or Podman is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath

from lode.definitions.recipe import Recipe
from lode.definitions.target import Target
from lode.locking.graph import Lock, build_order
from lode.rendering import File, Rendering, header, patches
from lode.rendering.containerfile.image import base, containerfile_of
from lode.rendering.containerfile.node import lost, words
from lode.rendering.containerfile.reading import FILE, read_back
from lode.rendering.environments import Installed
from lode.rendering.script import script
from lode.rendering.weakening import Inexpressible, Weakening
from lode.tree import FileTree

__all__ = ["base", "context", "read_back", "render"]

ROOT = "/lode/build"  # where a package is built: its script depends on it


def render(lock: Lock, *, recipes: Mapping[str, Recipe], file: File) -> Rendering:
    """Return the contexts of all targets of the lock."""
    if faults := tuple(patches.changed(lock, recipes, file)):
        raise Inexpressible.of(faults)
    told = "".join(f"{line}  \n" for line in header.lines(lock))
    readme = _text("README.md.txt").replace("@HEADER@\n", told).replace("@STACK@", lock.stack)
    readme = readme.replace("@RELEASE@", lock.release).replace("@PREFIX@", lock.final_path("TARGET"))
    files: dict[PurePosixPath, bytes] = {PurePosixPath("README.md"): readme.encode()}
    executable: set[PurePosixPath] = set()
    weakenings = {Weakening(package="", what=what) for what in _GENERAL}
    for locked in lock.targets:
        target = locked.definition
        made = context(lock, target, file)
        files |= {PurePosixPath(target.name) / path: content for path, content in made.files.items()}
        executable |= {PurePosixPath(target.name) / path for path in made.executable}
        for node in lock.nodes:
            if target.name in node.targets:
                weakenings |= {*lost(node, target)}
        if target.base.image is None:
            weakenings.add(Weakening(package="", what=f"{target.name} begins with {base(target)}, which has no digest"))
    return Rendering(tree=FileTree(files=files, executable=frozenset(executable)), weakenings=tuple(sorted(weakenings)))


def context(lock: Lock, target: Target, file: File) -> FileTree:
    """Return the context of the image build of `target`: its Containerfile and all that it copies.

    `file` reads patches by package and path. Inexpressible for an OS whose packages nobody knows how to install.
    """
    mark = header.commented(lock)
    order = build_order(lock, target.name)
    installed = Installed(target=target.name, nodes={node.package: node for node in order})
    program = PurePosixPath("bin/build")
    files = {
        PurePosixPath(FILE): f"{mark}\n{containerfile_of(lock, target, order, installed)}".encode(),
        program: f"#!/bin/sh\n{mark}\n{_text('build.sh.txt')}".encode(),
        PurePosixPath("sources/README.md"): b"Here `lode fetch -o` puts the sources, by their hash.\n",
    }
    for node in order:
        folder = PurePosixPath("nodes", node.package)
        files[folder / "node.sh"] = f"{mark}\n{words(node, target, installed, order)}".encode()
        files[folder / "build.sh"] = script(node, target, root=ROOT, jobs=None).encode()
        for number, patch in enumerate(patches.on(node, target.name), 1):
            files[folder / f"{number}.patch"] = file(node.package, patch.file)
    return FileTree(files=files, executable=frozenset({program}))


_GENERAL = (
    "build tools lie in the prefix, not beside it, while a package is built",
    "images are not the same bytes each time: they hold the times of the build",
    "what a package links to is not checked",
)


def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text("utf-8")
