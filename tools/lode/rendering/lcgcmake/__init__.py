"""The lock for LCGCMake: its packages, and the file of their versions, for each target.

    README.md                                    how they are added to a checkout of LCGCMake
    <target>/heptools-<stack>-<release>.cmake    LCG_external_package and LCG_AA_project for every node
    <target>/Lode/CMakeLists.txt                 LCGPackage_Add for every node, each after what it needs
    <target>/Lode/<package>/                     build.sh, patches, and sources.cmake where one archive is not all

The macros look at their arguments more than once (they replace variables, `<name>` and IF … THEN … ENDIF in them), so
that nothing a recipe says is handed to them: its texts are in scripts of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath

from lode.definitions.recipe import Recipe
from lode.definitions.target import Target
from lode.locking.graph import Lock, build_order
from lode.rendering import File, Rendering, header, patches
from lode.rendering.environments import Installed
from lode.rendering.lcgcmake.language import Raw, dump
from lode.rendering.lcgcmake.package import is_plain, layout, lost, package
from lode.rendering.lcgcmake.reading import read_back
from lode.rendering.lcgcmake.script import script
from lode.rendering.lcgcmake.words import PROJECTS, called
from lode.rendering.weakening import Inexpressible, Weakening
from lode.tree import FileTree

__all__ = ["read_back", "render"]

_CHOICE = """\
set(LODE_MIRROR "$ENV{LODE_MIRROR}" CACHE STRING "Address of a folder of sources by their hash, as lode fetch keeps it")

macro(lode_url variable path address)
  if(LODE_MIRROR)
    set(${variable} "${LODE_MIRROR}/${path}")
  else()
    set(${variable} "${address}")
  endif()
endmacro()
"""


def render(lock: Lock, *, recipes: Mapping[str, Recipe], file: File) -> Rendering:
    """Return the packages of all nodes on each target of the lock, and the file of their versions."""
    if faults := tuple(patches.changed(lock, recipes, file)):
        raise Inexpressible.of(faults)
    mark = header.commented(lock)
    told = "".join(f"{line}  \n" for line in header.lines(lock))
    name = f"heptools-{lock.stack}-{lock.release}.cmake"
    readme = _text("README.md.txt").replace("@HEADER@\n", told).replace("@VERSIONS@", name)
    files: dict[PurePosixPath, bytes] = {PurePosixPath("README.md"): readme.encode()}
    weakenings: set[Weakening] = set()
    for locked in lock.targets:
        target = locked.definition
        root = PurePosixPath(target.name)
        files[root / name] = f"{mark}\n{_versions(lock, target)}".encode()
        files |= {root / "Lode" / path: content for path, content in _packages(lock, target, mark, file).items()}
        for node in lock.nodes:
            if target.name in node.targets:
                weakenings |= {*lost(node, target)}
        weakenings |= {*_general(target)}
    return Rendering(tree=FileTree(files=files), weakenings=tuple(sorted(weakenings)))


def _packages(lock: Lock, target: Target, mark: str, file: File) -> Mapping[PurePosixPath, bytes]:
    order = build_order(lock, target.name)
    installed = Installed(target=target.name, nodes={node.package: node for node in order})
    added = [f"{mark}\n{_CHOICE}", *(package(node, target, installed, order) for node in order)]
    files = {
        PurePosixPath("CMakeLists.txt"): "\n".join(added).encode(),
        PurePosixPath("sources.cmake"): f"{mark}\n{_text('sources.cmake.txt')}".encode(),
    }
    for node in order:
        folder = PurePosixPath(called(node.package))
        files[folder / "build.sh"] = f"#!/bin/sh\n{mark}{script(node, target)}".encode()
        if not is_plain([source for source in node.sources if target.name in source.targets]):
            try:
                text = layout(node, target)
            except ValueError as error:
                raise Inexpressible(f"{node.package}: {error}") from error
            files[folder / "sources.cmake"] = f"{mark}\n{text}".encode()
        for number, patch in enumerate(patches.on(node, target.name), 1):
            files[folder / f"{number}.patch"] = file(node.package, patch.file)
    return files


def _versions(lock: Lock, target: Target) -> str:
    text = dump("set", Raw("heptools_version"), f"{lock.stack}-{lock.release}")
    text += dump("include", Raw('"${CMAKE_CURRENT_LIST_DIR}/heptools-common.cmake"')) + "\n"
    for node in lock.nodes:
        if target.name in node.targets:
            macro = "LCG_AA_project" if node.package in PROJECTS else "LCG_external_package"
            text += dump(macro, Raw(called(node.package)), node.version)
    return text


def _general(target: Target) -> list[Weakening]:
    compiler = f"{target.compiler.name} {target.compiler.version}"
    said = [
        f"the compiler of {target.name} is the one of the OS: that it is {compiler} is not checked",
        "LCGCMake takes run paths out of libraries: its scripts for users set LD_LIBRARY_PATH",
        "licenses are not told",
    ]
    return [Weakening(package="", what=what) for what in said]


def _text(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text("utf-8")
