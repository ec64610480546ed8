"""A target's nodes as an environment of Spack: every version, variant and compiler required, nothing left to choose."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from lode.definitions.recipe import System
from lode.definitions.target import Target
from lode.locking.graph import Lock, Node
from lode.rendering import names
from lode.rendering.spack.words import Words, processor, system

PACKAGES_REPOSITORY = "https://github.com/spack/spack-packages.git"  # Spack's own recipes, whose classes ours use
MIRROR = "$LODE_MIRROR"  # a folder, from the environment: where a machine keeps sources is not the stack's affair
_LANGUAGES = {"c": "c", "cxx": "c++", "fortran": "fortran"}
_COMPILERS = {"clang": "llvm", "gcc": "gcc"}


def environment(lock: Lock, target: Target, words: Words, repository: str) -> dict[str, Any]:
    """Return the document of `spack.yaml`; `repository` is where ours lies, as that file names it."""
    nodes = [node for node in lock.nodes if target.name in node.targets]
    there = {node.package for node in nodes}
    asked = sorted({text.split()[0] for text in lock.requirements} & there)
    by_name = {node.package: node for node in nodes}
    final = lock.final_path(target.name)
    builtin: dict[str, Any] = {"git": PACKAGES_REPOSITORY}
    if lock.pins.spack_packages:
        builtin["commit"] = lock.pins.spack_packages
    return {
        "spack": {
            "specs": [_exact(by_name[name], words) for name in asked],
            "view": {"default": {"root": f"{final}/view", "link": "run", "link_type": "symlink"}},
            "concretizer": {
                "unify": True,
                "reuse": False,
                "targets": {"granularity": "generic", "host_compatible": False},
            },
            "packages": {
                "all": {"require": [f"os={system(target)}", f"target={processor(target)}"]},
                **_compiler(target),
                **_tools(target, there),
                **{words.name(node.package): {"require": _required(node, target, words)} for node in nodes},
            },
            "repos": {words.namespace: repository, "builtin": builtin},
            "mirrors": {"lode": {"url": MIRROR, "source": True, "binary": False}},
            "config": {"checksum": True, "install_tree": {"root": f"{final}/opt"}},
        }
    }


def _exact(node: Node, words: Words) -> str:
    namespace = "builtin" if words.is_delegated(node.package) else words.namespace
    return f"{namespace}.{words.name(node.package)}@={node.version}"


def _required(node: Node, target: Target, words: Words) -> list[str]:
    """Return what the node must be, as specs that must all hold."""
    exact = _exact(node, words)
    if words.is_delegated(node.package):
        if node.options:
            words.weaken(node.package, "the options of Spack's own package are left to Spack")
        return [exact]
    required = [exact]
    for option, value in sorted(node.options.items()):
        if target.name not in node.absent.get(option, ()):
            required.append(words.setting(node.package, option, value))
    if node.build.system is System.CMAKE:
        required.append("build_type=Release")
    if node.languages:
        name = _COMPILERS.get(target.compiler.name, target.compiler.name)
        required.append(f"%{','.join(node.languages)}={name}@{target.compiler.version}")
    return required


def _compiler(target: Target) -> dict[str, Any]:
    compiler = target.compiler
    name = _COMPILERS.get(compiler.name, compiler.name)
    programs = {"c": compiler.c, "cxx": compiler.cxx, "fortran": compiler.fortran}
    languages = [language for language in compiler.languages if programs.get(language)]
    spec = f"{name}@{compiler.version}"
    if name == "gcc":
        spec += f" languages:='{','.join(_LANGUAGES[language] for language in languages)}'"
    external = {
        "spec": spec,
        "prefix": _prefix(compiler.c),
        "extra_attributes": {"compilers": {language: programs[language] for language in languages}},
    }
    chosen = {language: {"require": [f"{name}@{compiler.version}"]} for language in languages}
    return {name: {"externals": [external], "buildable": False}, **chosen}


def _tools(target: Target, there: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tool in target.externals:
        if tool.package not in there:
            name = names.elsewhere(tool.package, names.SPACK)
            spec = f"{name}@{tool.version}"
            found[name] = {"externals": [{"spec": spec, "prefix": _prefix(tool.program)}], "buildable": False}
    return found


def _prefix(program: str) -> str:
    return str(PurePosixPath(program).parent.parent)
