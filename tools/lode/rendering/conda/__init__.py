"""The lock for conda: a v1 recipe (CEP 13, 14) for each node of each target, which rattler-build builds.

    README.md, build.py                      how all of it is built, and the program that does
    <target>/recipes/<package>/              recipe.yaml, build.sh, patches
    <target>/toolchain/<name>/recipe.yaml    packages that stand for the compiler and tools of the OS
    <target>/online.yaml, offline.yaml       variants: compilers of conda-forge, or of the OS

Every node is required by its name, version and build string, which holds its hash: a package of another channel that
has the same name and version is never taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath

from lode import digest
from lode.definitions.recipe import Recipe
from lode.definitions.target import Target
from lode.errors import Fault
from lode.locking.graph import Lock, Node
from lode.rendering import File, Rendering, header, names
from lode.rendering.conda import toolchain, words
from lode.rendering.conda.reading import read_back
from lode.rendering.conda.recipe import Scene, document
from lode.rendering.conda.script import script
from lode.rendering.quoting import yaml_document
from lode.rendering.weakening import Inexpressible
from lode.tree import FileTree

__all__ = ["faults", "patch_files", "read_back", "render", "weaken"]


def render(lock: Lock, *, recipes: Mapping[str, Recipe], file: File) -> Rendering:  # noqa: ARG001
    """Return the recipes of all nodes on each target of the lock, and what builds them; `recipes` are not looked at."""
    if wrong := faults(lock, file):
        raise Inexpressible.of(wrong)
    mark = header.commented(lock)
    program = resources.files(__name__).joinpath("build.py.txt").read_text("utf-8")
    readme = resources.files(__name__).joinpath("README.md.txt").read_text("utf-8")
    told = "".join(f"{line}  \n" for line in header.lines(lock))
    files: dict[PurePosixPath, bytes] = {
        PurePosixPath("README.md"): readme.replace("@HEADER@\n", told).encode(),
        PurePosixPath("build.py"): f"{mark}\n{program}".encode(),
    }
    weakenings = set()
    for locked in lock.targets:
        target = locked.definition
        nodes = {node.package: node for node in lock.nodes if target.name in node.targets}
        scene = Scene.of(target, nodes)
        root = PurePosixPath(target.name)
        files |= _toolchain(target, root, mark)
        for node in nodes.values():
            folder = root / "recipes" / node.package
            files[folder / "recipe.yaml"] = f"{mark}{yaml_document(document(node, scene))}".encode()
            files[folder / "build.sh"] = f"#!/bin/bash\n{mark}{script(node, target)}".encode()
            files |= {folder / name: content for name, content in patch_files(node, target.name, file).items()}
        weaken(scene)
        weakenings |= scene.weakenings
    return Rendering(tree=FileTree(files=files), weakenings=tuple(sorted(weakenings)))


def faults(lock: Lock, file: File) -> list[Fault]:
    """Return what keeps the lock from being said in recipes of conda."""
    found: list[Fault] = []
    for node in lock.nodes:
        if not words.version(node.version)[:1].isalnum():
            found.append(Fault(message=f"{node.package}: conda cannot have {node.version} as a version"))
        for patch in node.patches:
            if digest.of_bytes(file(node.package, patch.file)) != patch.sha256:
                message = f"{node.package}: the patch {patch.file} changed since the lock was made"
                found.append(Fault(message=message, hint="`lode lock` renews the lock"))
    for locked in lock.targets:
        target = locked.definition
        words.platform(target)
        there = {node.package for node in lock.nodes if target.name in node.targets}
        for tool in target.externals:
            name = names.elsewhere(tool.package, names.CONDA)
            if name in there and name != tool.package:
                found.append(Fault(message=f"{name} is a package of the stack, and conda's name of {tool.package}"))
    return found


def patch_files(node: Node, target: str, file: File) -> Mapping[PurePosixPath, bytes]:
    """Return the patches of a node by their paths in the recipe's folder."""
    there = [patch for patch in node.patches if target in patch.targets]
    return {PurePosixPath(patch.file): file(node.package, patch.file) for patch in there}


def weaken(scene: Scene) -> None:
    """Record what recipes of conda say less exactly of every stack."""
    tools = {edge.package for node in scene.nodes.values() for edge in node.externals}
    if tools:
        what = f"with conda-forge, any version that the recipes admit will do for {', '.join(sorted(tools))}"
        scene.weaken("", what)
    scene.weaken("", "with conda-forge, the compiler has the major version of the target's, not its very version")
    for name in sorted(tools & scene.nodes.keys()):
        scene.weaken(name, "packages that ask for the OS's may be given the stack's own")
    if any(node.tests for node in scene.nodes.values()):
        scene.weaken("", "the tests of the recipes are left out: `lode test` runs them")
    for node in scene.nodes.values():
        if node.provider == "upstream":
            scene.weaken(node.package, "it is built from its recipe here, although the stack leaves it to others")


def _toolchain(target: Target, root: PurePosixPath, mark: str) -> Mapping[PurePosixPath, bytes]:
    files = {
        root / "online.yaml": f"{mark}{yaml_document(toolchain.online(target))}".encode(),
        root / "offline.yaml": f"{mark}{yaml_document(toolchain.offline(target))}".encode(),
    }
    for stub in toolchain.stubs(target):
        path = root / "toolchain" / stub["package"]["name"] / "recipe.yaml"
        files[path] = f"{mark}{yaml_document(stub)}".encode()
    return files
