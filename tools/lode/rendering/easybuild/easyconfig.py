"""One node on one target as an easyconfig: assignments of literals, so that nothing a recipe says can be code."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from lode.definitions.recipe import Kind, System
from lode.definitions.target import Target
from lode.locking.graph import Lock, LockedTest, Node
from lode.rendering.easybuild import sources
from lode.rendering.easybuild.block import block, within
from lode.rendering.easybuild.words import called, plain, suffix
from lode.rendering.quoting import python, shell
from lode.rendering.weakening import Inexpressible, Weakening

SYSTEM = {"name": "system", "version": "system"}  # the toolchain that is the OS's compiler
# what easybuild.tools.module_generator (5.x) hands on to Lua and Tcl as code, or takes for the end of a string
_UNHELD = re.compile(r"[\\$\[\x00-\x1f\x7f]| \.\. ")
_PLACES = ("bin", "lib", "include", "share")


def easyconfig(lock: Lock, node: Node, target: Target, lost: set[Weakening]) -> str:
    """Return the text of the node's easyconfig, without header; what is lost is added to `lost`."""
    said: dict[str, Any] = {
        "name": called(node.package),
        "version": node.version,
        "versionsuffix": suffix(lock),
        "homepage": plain(node.homepage),
        "description": plain(node.summary),
        "toolchain": SYSTEM,
        **sources.sources(node, target.name, lost),
        **_dependencies(lock, node, target),
        **block(node, target, lost),
        **_sanity(node, target.name, lost),
        **_environment(node),
        "moduleclass": "phys" if "simulation" in node.tags else "lib",
    }
    # what a build needs comes first in EasyBuild's own easyconfigs too
    ordered = {"easyblock": said.pop("easyblock"), **said}
    return "".join(f"{key} = {_value(value)}\n" for key, value in ordered.items())


def _value(value: Any) -> str:
    """Return a literal, on a line for each item when it is long."""
    text = python(value)
    if len(text) <= 95 or not isinstance(value, list):
        return text
    return "\n".join(["[", *(f"    {python(item)}," for item in value), "]"])


def _dependencies(lock: Lock, node: Node, target: Target) -> dict[str, Any]:
    """Return the modules that are loaded to build, or also to use, the node, and the OS packages that it needs."""
    found: dict[str, list[Any]] = {"builddependencies": [], "dependencies": [], "osdependencies": []}
    for edge in node.edges:
        if target.name not in edge.targets or edge.kinds == (Kind.TEST,):
            continue
        needed = (called(edge.package), lock.node(edge.package).version, suffix(lock))
        using = Kind.LINK in edge.kinds or Kind.RUN in edge.kinds
        found["dependencies" if using else "builddependencies"].append(needed)
    brought = {one.package: one.system_package for one in target.externals}
    for tool in node.externals:
        if target.name in tool.targets:
            found["osdependencies"].append(brought.get(tool.package, tool.package))
    return {key: value for key, value in found.items() if value}


def _sanity(node: Node, target: str, lost: set[Weakening]) -> dict[str, Any]:
    """Return that something was installed, and the tests that are commands without files of their own."""
    if node.build.system is System.BUNDLE:
        return {}
    commands: list[str] = []
    needs_more = any(edge.kinds == (Kind.TEST,) and target in edge.targets for edge in node.edges)
    for test in node.tests:
        if target not in test.targets:
            continue
        command = _command(test)
        if command is None or needs_more:
            why = "packages that tests alone need" if command else "files, a compiler or reference numbers"
            what = f"the test {test.name} is left out: EasyBuild's sanity checks have no {why}"
            lost.add(Weakening(package=node.package, what=what))
        else:
            commands.append(f"PREFIX={within('%(installdir)s')} sh -c {shell(plain(command))}")
    found: dict[str, Any] = {"sanity_check_paths": {"files": [], "dirs": [_PLACES]}}
    return found | ({"sanity_check_commands": commands} if commands else {})


def _command(test: LockedTest) -> str | None:
    if test.files or test.compile or test.prepare or test.numbers:
        return None
    text = test.run or f"python -c {shell(test.python)}"
    return f'set -eu\ncd "$(mktemp -d)"\n{text}'


def _environment(node: Node) -> dict[str, Any]:
    paths: dict[str, list[str]] = {}
    for name, path in node.environment.prepend:
        paths.setdefault(name, []).append(plain(path))
    variables = {
        name: plain(path) if path.startswith("/") else str(PurePosixPath("%(installdir)s", plain(path)))
        for name, path in node.environment.set
    }
    variables |= {name: plain(text) for name, text in node.environment.value}
    for name, texts in (*paths.items(), *((name, [text]) for name, text in variables.items())):
        for text in texts:
            if _UNHELD.search(text) or ("'" in text and '"' in text):
                message = f"{node.package}: a module of EasyBuild cannot set {name} to {text!r}"
                raise Inexpressible(message, hint="leave out what Lua and Tcl look at in a string")
    found: dict[str, Any] = {}
    if paths:
        found["modextrapaths"] = paths
        if any(path.startswith("/") for several in paths.values() for path in several):
            found["allow_prepend_abs_path"] = True
    if variables:
        found["modextravars"] = variables
    return found
