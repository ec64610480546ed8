"""Explicit documents of definitions, for hashing: every field is named here, and nothing is taken from a dataclass.

Places, folders and the order in which a file was written never count. Constraints, requirements and conditions stand
in their written form, which is sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lode.definitions.recipe import (
    Argument,
    Build,
    Dependency,
    Option,
    Patch,
    Recipe,
    RecipeVersion,
    Source,
    Test,
)
from lode.definitions.stack import StackDefinition
from lode.definitions.target import Target


def recipe_document(recipe: Recipe) -> dict[str, Any]:
    """Return all that `recipe` says; two recipes that say the same have equal documents."""
    return {
        "name": recipe.name,
        "summary": recipe.summary,
        "homepage": recipe.homepage,
        "license": recipe.license,
        "redistributable": recipe.redistributable,
        "cite": list(recipe.cite),
        "tags": list(recipe.tags),
        "maintainers": list(recipe.maintainers),
        "versions": [_version(version) for version in recipe.versions],
        "options": [_option(option) for option in recipe.options],
        "languages": list(recipe.languages),
        "dependencies": [_dependency(dependency) for dependency in recipe.dependencies],
        "conflicts": [
            {"requirement": str(conflict.requirement), "reason": conflict.reason, "when": str(conflict.when)}
            for conflict in recipe.conflicts
        ],
        "build": _build(recipe.build),
        "environment": {
            "prepend": _pairs(recipe.environment.prepend),
            "set": _pairs(recipe.environment.set),
            "value": _pairs(recipe.environment.value),
        },
        "tests": [_test(test) for test in recipe.tests],
        "system_libraries": list(recipe.system_libraries),
        "upstream": {"spack": recipe.upstream.spack, "conda": recipe.upstream.conda},
    }


def stack_document(stack: StackDefinition) -> dict[str, Any]:
    """Return all that `stack` says; two stacks that say the same have equal documents."""
    return {
        "name": stack.name,
        "release": stack.release,
        "date": stack.date,
        "summary": stack.summary,
        "targets": list(stack.targets),
        "requirements": [str(request) for request in stack.requirements],
        "extends": stack.extends,
        "groups": {group.name: list(group.packages) for group in stack.groups},
        "own": list(stack.own),
        "upstream": list(stack.upstream),
        "pins": {
            "spack": stack.pins.spack,
            "spack_packages": stack.pins.spack_packages,
            "conda_channels": _pairs(stack.pins.conda_channels),
        },
        "tests": [_test(test) for test in stack.tests],
        "publish": {
            "cvmfs": stack.publish.cvmfs,
            "registry": stack.publish.registry,
            "channel": stack.publish.channel,
        },
    }


def target_document(target: Target) -> dict[str, Any]:
    """Return all of `target` that decides what a build on it yields.

    Left out: its name (a label), the packages of the runtime image (installed after building), the end of life (a date
    for people) and the mirror of snapshots (a place).
    """
    base, compiler = target.base, target.compiler
    return {
        "os": target.os,
        "os_version": target.os_version,
        "arch": target.arch,
        "base": {"image": base.image, "suite": base.suite, "snapshot": base.snapshot},
        "compiler": {
            "name": compiler.name,
            "version": compiler.version,
            "languages": list(compiler.languages),
            "c": compiler.c,
            "cxx": compiler.cxx,
            "fortran": compiler.fortran,
        },
        "glibc": target.glibc,
        "libstdcxx": target.libstdcxx,
        "microarchitecture": target.microarchitecture,
        "system_packages": list(target.system_packages),
        "externals": [
            {
                "package": external.package,
                "version": external.version,
                "system_package": external.system_package,
                "program": external.program,
            }
            for external in target.externals
        ],
        "system_libraries": list(target.system_libraries),
    }


def _version(version: RecipeVersion) -> dict[str, Any]:
    return {
        "version": version.version.text,
        "sources": [_source(source) for source in version.sources],
        "patches": [_patch(patch) for patch in version.patches],
        "deprecated": version.deprecated,
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "origins": [[origin.scheme, origin.location] for origin in source.origins],
        "sha256": source.sha256,
        "size": source.size,
        "swhid": source.swhid,
        "directory": source.directory,
        "subdirectory": source.subdirectory,
        "unpack": source.unpack,
        "when": str(source.when),
    }


def _patch(patch: Patch) -> dict[str, Any]:
    return {
        "file": patch.file,
        "reason": patch.reason,
        "upstream": patch.upstream,
        "until": patch.until,
        "strip": patch.strip,
        "when": str(patch.when),
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "values": list(option.values),
        "default": option.default,
        "summary": option.summary,
        "when": str(option.when),
    }


def _dependency(dependency: Dependency) -> dict[str, Any]:
    return {
        "requirement": str(dependency.requirement),
        "kinds": [str(kind) for kind in dependency.kinds],
        "when": str(dependency.when),
    }


def _build(build: Build) -> dict[str, Any]:
    return {
        "system": str(build.system),
        "subdirectory": build.subdirectory,
        "args": [_argument(argument) for argument in build.args],
        "environment": _pairs(build.environment),
        "prepare": build.prepare,
        "targets": list(build.targets),
        "install_targets": list(build.install_targets),
        "script": build.script,
        "finish": build.finish,
        "in_source": build.in_source,
        "jobs": build.jobs,
        "memory_mb": build.memory_mb,
    }


def _argument(argument: Argument) -> dict[str, Any]:
    return {
        "words": list(argument.words),
        "option": argument.option,
        "define": argument.define,
        "when": str(argument.when),
    }


def _test(test: Test) -> dict[str, Any]:
    return {
        **({"prepare": test.prepare} if test.prepare else {}),
        "name": test.name,
        "run": test.run,
        "compile": test.compile,
        "python": test.python,
        "libraries": list(test.libraries),
        "flags": list(test.flags),
        "files": list(test.files),
        "numbers": test.numbers,
        "tolerance": test.tolerance,
        "timeout_s": test.timeout_s,
        "when": str(test.when),
    }


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [list(pair) for pair in pairs]
