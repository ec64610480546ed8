"""The lock for conda-build: a meta.yaml for each node of each target, with the build script of the conda renderer.

    README.md                                   the commands that build all of it
    <target>/recipes/<package>/                 meta.yaml, build.sh, patches
    <target>/toolchain/<name>/meta.yaml         packages that stand for the compiler and tools of the OS
    <target>/order.txt                          the folders of recipes, each after what it needs
    <target>/online/conda_build_config.yaml     variants: compilers of conda-forge
    <target>/offline/conda_build_config.yaml    or of the OS

conda-build reads templates and selectors before it reads YAML, so that texts have no brace, bracket or number sign of
their own there: these are escapes of YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath

from lode.definitions.recipe import Recipe
from lode.definitions.target import Target
from lode.locking.graph import Lock, build_order
from lode.rendering import File, Rendering, conda, header
from lode.rendering.conda import toolchain
from lode.rendering.conda.recipe import Scene
from lode.rendering.conda.script import script
from lode.rendering.conda_build import meta
from lode.rendering.conda_build.reading import read_back
from lode.rendering.quoting import yaml_document
from lode.rendering.weakening import Inexpressible, Weakening
from lode.tree import FileTree

__all__ = ["read_back", "render"]


def render(lock: Lock, *, recipes: Mapping[str, Recipe], file: File) -> Rendering:  # noqa: ARG001
    """Return the recipes of all nodes on each target of the lock; `recipes` are not looked at."""
    if wrong := conda.faults(lock, file):
        raise Inexpressible.of(wrong)
    mark = header.commented(lock)
    readme = resources.files(__name__).joinpath("README.md.txt").read_text("utf-8")
    told = "".join(f"{line}  \n" for line in header.lines(lock))
    files: dict[PurePosixPath, bytes] = {PurePosixPath("README.md"): readme.replace("@HEADER@\n", told).encode()}
    weakenings: set[Weakening] = set()
    for locked in lock.targets:
        target = locked.definition
        nodes = {node.package: node for node in lock.nodes if target.name in node.targets}
        scene = Scene.of(target, nodes)
        root = PurePosixPath(target.name)
        files |= _toolchain(target, root, mark)
        order = "".join(f"{root / 'recipes' / node.package}\n" for node in build_order(lock, target.name))
        files[root / "order.txt"] = order.encode()
        for node in nodes.values():
            folder = root / "recipes" / node.package
            files[folder / "meta.yaml"] = f"{mark}{meta.text(meta.document(node, scene))}".encode()
            files[folder / "build.sh"] = f"#!/bin/bash\n{mark}{script(node, target)}".encode()
            files |= {folder / name: content for name, content in conda.patch_files(node, target.name, file).items()}
        conda.weaken(scene)
        weakenings |= scene.weakenings
    return Rendering(tree=FileTree(files=files), weakenings=tuple(sorted(weakenings)))


def _toolchain(target: Target, root: PurePosixPath, mark: str) -> Mapping[PurePosixPath, bytes]:
    files = {
        root / mode / "conda_build_config.yaml": f"{mark}{yaml_document(variants)}".encode()
        for mode, variants in (("online", toolchain.online(target)), ("offline", toolchain.offline(target)))
    }
    for stub in toolchain.stubs(target):
        path = root / "toolchain" / stub["package"]["name"] / "meta.yaml"
        files[path] = f"{mark}{meta.text(meta.stub(stub))}".encode()
    return files
