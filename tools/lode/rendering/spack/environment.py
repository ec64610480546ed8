"""A target's nodes as an environment of Spack: every version, variant and compiler required, nothing left to choose."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from lode.definitions.recipe import System
from lode.definitions.target import Target
from lode.locking.graph import Lock, Node
from lode.rendering.spack.externals import CALLED, COMPILERS
from lode.rendering.spack.words import Words, languages, processor, system

PACKAGES_REPOSITORY = "https://github.com/spack/spack-packages.git"  # Spack's own recipes, whose classes ours use
MIRROR = "$LODE_MIRROR"  # a folder, from the environment: where a machine keeps sources is not the stack's affair
_LANGUAGES = {"c": "c", "cxx": "c++", "fortran": "fortran"}
# Runtimes of compilers that no target has: providers of `fortran-rt`, through which much of Spack would be looked at.
_OTHER_RUNTIMES = ("intel-oneapi-runtime",)


def environment(lock: Lock, target: Target, words: Words, repository: str) -> dict[str, Any]:
    """Return the document of `spack.yaml`; `repository` is where ours lies, as that file names it."""
    nodes = [node for node in lock.nodes if target.name in node.targets]
    there = {node.package for node in nodes}
    asked = {text.split()[0] for text in lock.requirements} & there
    asked |= {node.package for node in nodes if words.is_delegated(node.package)}
    by_name = {node.package: node for node in nodes}
    final = lock.final_path(target.name)
    builtin: dict[str, Any] = {"git": PACKAGES_REPOSITORY}
    if lock.pins.spack_packages:
        builtin["commit"] = lock.pins.spack_packages
    return {
        "spack": {
            "specs": [_root(by_name[name], target, words) for name in sorted(asked)],
            "view": {"default": {"root": f"{final}/view", "link": "run", "link_type": "symlink"}},
            "concretizer": {
                "unify": True,
                "reuse": False,
                "static_analysis": True,  # other compilers than the target's are not looked at
                "targets": {"granularity": "generic", "host_compatible": False},
            },
            "packages": {
                "all": {"require": _everywhere(target)},
                **_compiler(target),
                **_c_library(target),
                **{name: {"buildable": False} for name in _OTHER_RUNTIMES},
                **_tools(target, there, words),
                **{words.name(node.package): {"require": _required(node, target, words)} for node in nodes},
            },
            "repos": {words.namespace: repository, "builtin": builtin},
            "mirrors": {"lode": {"url": MIRROR, "source": True, "binary": False}},
            "config": {"checksum": True, "install_tree": {"root": f"{final}/opt"}},
        }
    }


def _root(node: Node, target: Target, words: Words) -> str:
    """Return the spec of a package that users ask for; a package of Spack's own is told by its namespace here only.

    It names the system: Spack takes another OS than its host's only if a root asks for it.
    """
    namespace = "builtin" if words.is_delegated(node.package) else words.namespace
    return " ".join([f"{namespace}.{_exact(node, words)}", *_everywhere(target)])


def _exact(node: Node, words: Words) -> str:
    return f"{words.name(node.package)}@={node.version}"


def _required(node: Node, target: Target, words: Words) -> list[str]:
    """Return what the node must be, as specs that must all hold; those for all packages do not hold beside these.

    Namespaces are left out: Spack decides them by the order of repositories, and only roots can name one.
    """
    required = [_exact(node, words), *_everywhere(target)]
    if words.is_delegated(node.package):
        if node.options:
            words.weaken(node.package, "Spack's own package has variants of its own in place of the options")
        return required + list(words.delegated_variants(node.package))
    for option, value in sorted(node.options.items()):
        if target.name not in node.absent.get(option, ()):
            required.append(words.setting(node.package, option, value))
    if node.build.system is System.CMAKE and not words.is_by_hand(node.package, System.CMAKE):
        required.append("build_type=Release")
    if asked := languages(node.languages):
        name = COMPILERS.get(target.compiler.name, target.compiler.name)
        required.append(f"%{','.join(asked)}={name}@{target.compiler.version}")
    return required


def _everywhere(target: Target) -> list[str]:
    return [f"os={system(target)}", f"target={processor(target)}"]


def _compiler(target: Target) -> dict[str, Any]:
    compiler = target.compiler
    name = COMPILERS.get(compiler.name, compiler.name)
    programs = {"c": compiler.c, "cxx": compiler.cxx, "fortran": compiler.fortran}
    offered = [language for language in compiler.languages if programs.get(language)]
    spec = f"{name}@{compiler.version}"
    if name == "gcc":
        spec += f" languages:='{','.join(_LANGUAGES[language] for language in offered)}'"
    external = {
        "spec": f"{spec} os={system(target)}",  # without it, Spack says that its own host has the compiler
        "prefix": _prefix(compiler.c),
        "extra_attributes": {"compilers": {language: programs[language] for language in offered}},
    }
    chosen = {language: {"require": [f"{name}@{compiler.version}"]} for language in offered}
    return {name: {"externals": [external], "buildable": False}, **chosen}


def _c_library(target: Target) -> dict[str, Any]:
    """Return what holds for the C library, which Spack finds by itself and takes for its host's: any OS.

    On the target's own OS that changes nothing; elsewhere, Spack can choose for the target.
    """
    return {"glibc": {"require": [f"target={processor(target)}"], "buildable": False}}


def _tools(target: Target, there: set[str], words: Words) -> dict[str, Any]:
    ours = {words.name(package) for package in there}
    found: dict[str, Any] = {name: {"buildable": False} for name in CALLED if name not in ours}
    for tool in target.externals:
        if tool.package not in there:
            name = words.name(tool.package)
            spec = f"{name}@{tool.version} os={system(target)}"
            found[name] = {"externals": [{"spec": spec, "prefix": _prefix(tool.program)}], "buildable": False}
    return found


def _prefix(program: str) -> str:
    return str(PurePosixPath(program).parent.parent)
