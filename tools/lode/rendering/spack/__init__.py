"""The lock for Spack 1.x: a package repository (package API 2.2) and an environment for each target.

    repository/spack_repo/lode/<collection>/repo.yaml
    repository/spack_repo/lode/<collection>/build_systems/lode.py    what the packages share
    repository/spack_repo/lode/<collection>/packages/<name>/package.py, patches/…, tests/…
    repository/names.yaml           Spack's names of packages to Lode's, where they differ
    <target>/spack.yaml

The repository's own namespace keeps its packages apart from Spack's, whatever they are called: `nest` there is the
neuroscience simulator. It stands before `builtin`, whose classes of build systems its packages use.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath

from lode import digest
from lode.definitions.recipe import Recipe
from lode.errors import Fault
from lode.locking.graph import Lock, Node
from lode.rendering import File, Rendering, header, names
from lode.rendering.quoting import comment, yaml_document
from lode.rendering.spack.environment import environment
from lode.rendering.spack.externals import externals
from lode.rendering.spack.package import package
from lode.rendering.spack.reading import NAMES, read_back
from lode.rendering.spack.testing import test_files
from lode.rendering.spack.words import Words
from lode.rendering.weakening import Inexpressible
from lode.tree import FileTree

__all__ = ["read_back", "render"]

API = "v2.2"  # Spack 1.0 and newer


def render(lock: Lock, *, recipes: Mapping[str, Recipe], file: File) -> Rendering:
    """Return the repository of `recipes` and the environments of the lock's targets."""
    collection = names.module_name(lock.collections[0][0])
    words = Words(lock=lock, recipes=recipes, namespace=f"lode.{collection}")
    root = PurePosixPath("repository/spack_repo/lode", collection)
    mark = header.commented(lock)
    repo = yaml_document({"repo": {"namespace": words.namespace, "api": API}})
    support = resources.files(__name__).joinpath("support.py.txt").read_text("utf-8")
    files: dict[PurePosixPath, bytes] = {
        root / "repo.yaml": f"{mark}{repo}".encode(),
        root / "build_systems/__init__.py": b"",
        root / "build_systems/lode.py": f"{mark}\n{support}".encode(),
    }
    nodes = {node.package: node for node in lock.nodes}
    taken: dict[str, str] = {}
    for name, recipe in sorted(recipes.items()):
        if words.is_delegated(name):
            continue
        foreign = words.name(name)
        if other := taken.get(foreign):
            words.refuse(recipe, f"{other} and {name} are both {foreign} in Spack")
        taken[foreign] = name
        folder = root / "packages" / names.module_name(foreign)
        text = f"{mark}\n{package(recipe, nodes.get(name), words)}"
        files[folder / "package.py"] = text.encode()
        files |= _files(recipe, nodes.get(name), folder, file, words)
    for name, text in externals(words).items():
        path = root / "packages" / names.module_name(name) / "package.py"
        if path not in files:
            files[path] = f"{mark}\n{text}".encode()
    called = {words.name(name): name for name in sorted({*recipes, *nodes}) if words.name(name) != name}
    files[NAMES] = f"{mark}{yaml_document(called)}".encode()
    for target in words.targets:
        document = environment(lock, target, words, f"$env/../{root}")
        files[PurePosixPath(target.name, "spack.yaml")] = f"{mark}{_pins(lock)}{yaml_document(document)}".encode()
    for node in lock.nodes:
        if words.is_delegated(node.package) and words.name(node.package) in taken:
            what = f"{node.package} is Spack's own {words.name(node.package)}, and a recipe here has that name too"
            words.faults.append(Fault(message=what, hint="let the stack build it from its recipe"))
    if lock.pins.spack is None:
        words.weaken("", "the stack pins no commit of Spack itself: any Spack from 1.0 on will do")
    if lock.pins.spack_packages is None:
        words.weaken("", "the stack pins no commit of Spack's packages: compiler wrappers are taken as they come")
    if words.faults:
        raise Inexpressible.of(words.faults)
    return Rendering(tree=FileTree(files=files), weakenings=tuple(sorted(words.weakenings)))


def _files(
    recipe: Recipe, node: Node | None, folder: PurePosixPath, file: File, words: Words
) -> dict[PurePosixPath, bytes]:
    """Return the patches and the files of tests, as they lie in the recipe's folder."""
    found: dict[PurePosixPath, bytes] = {}
    locked = {patch.file: patch.sha256 for patch in node.patches} if node else {}
    for name in sorted({patch.file for stated in recipe.versions for patch in stated.patches} | {*test_files(recipe)}):
        content = file(recipe.name, name)
        if name in locked and digest.of_bytes(content) != locked[name]:
            words.refuse(recipe, f"the patch {name} changed since the lock was made", "`lode lock` renews the lock")
        found[folder / name] = content
    return found


def _pins(lock: Lock) -> str:
    return comment(f"Spack: commit {lock.pins.spack}") if lock.pins.spack else ""
