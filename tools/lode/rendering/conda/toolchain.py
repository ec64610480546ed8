"""What builds the nodes: conda-forge's compilers, or packages that stand for the compiler and tools of the OS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lode.definitions.target import Compiler, Target
from lode.rendering import names
from lode.rendering.conda import words
from lode.rendering.quoting import shell

_SYSROOTS = ("2.17", "2.28", "2.34")  # glibc versions that conda-forge has a sysroot of, oldest first
_FORGE = {"c": {"gcc": "gcc", "clang": "clang"}, "cxx": {"gcc": "gxx", "clang": "clangxx"},
          "fortran": {"gcc": "gfortran"}}  # fmt: skip
_VARIABLES = {"c": "CC", "cxx": "CXX", "fortran": "FC"}
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]+")


def online(target: Target) -> dict[str, Any]:
    """Return the variants that take compilers of conda-forge: the same major version, a C library no newer."""
    compiler = target.compiler
    found: dict[str, Any] = {}
    for language in _programs(compiler):
        if name := _FORGE[language].get(compiler.name):
            found[f"{language}_compiler"] = [name]
            found[f"{language}_compiler_version"] = [compiler.version.partition(".")[0]]
    fitting = [one for one in _SYSROOTS if _numbers(one) <= _numbers(target.glibc)]
    return {**found, "c_stdlib": ["sysroot"], "c_stdlib_version": [fitting[-1] if fitting else _SYSROOTS[0]]}


def offline(target: Target) -> dict[str, Any]:
    """Return the variants that take the compiler of the OS, through the packages of `stubs`."""
    found: dict[str, Any] = {}
    for language in _programs(target.compiler):
        found[f"{language}_compiler"] = [_compiler_name(language)]
        found[f"{language}_compiler_version"] = [target.compiler.version]
    return {**found, "c_stdlib": ["sysroot"], "c_stdlib_version": [target.glibc]}


def stubs(target: Target) -> Iterator[dict[str, Any]]:
    """Yield the recipes of packages that hold nothing but tell the solver, and check, what the OS has."""
    platform = words.platform(target)
    yield _sysroot(target, platform)
    for language, program in _programs(target.compiler).items():
        yield _compiler(target, platform, language, program)
    for tool in target.externals:
        name = names.elsewhere(tool.package, names.CONDA)
        yield _stub(name, tool.version, [f"test -x {shell(tool.program)}"])


def _sysroot(target: Target, platform: str) -> dict[str, Any]:
    """Return the package whose file names are what may be linked of the OS (rattler-build looks at names only)."""
    libraries = [name for name in target.system_libraries if _PLAIN.fullmatch(name)]
    folder = '"$PREFIX/lode-sysroot/lib"'
    script = [f"mkdir -p {folder}", f"cd {folder}", *(f"echo os >{name}" for name in libraries)]
    floor = f"__glibc >={words.version(target.glibc)},<3.0a0"
    return {
        **_stub(f"sysroot_{platform}", target.glibc, script),
        "requirements": {"run_exports": {"strong": [floor]}},
    }


def _compiler(target: Target, platform: str, language: str, program: str) -> dict[str, Any]:
    """Return the package that exports the OS compiler of a language while something is built."""
    name = _compiler_name(language)
    lines = [
        'if [ "${CONDA_BUILD:-}" = 1 ]; then',
        f"  export {_VARIABLES[language]}={shell(program)}",
        '  export CPPFLAGS="-I$PREFIX/include"',
        '  export LDFLAGS="-Wl,-rpath,$PREFIX/lib -Wl,-rpath-link,$PREFIX/lib -L$PREFIX/lib"',
        "fi",
    ]
    folder = '"$PREFIX/etc/conda/activate.d"'
    script = [
        f'test "$({shell(program)} -dumpfullversion)" = {shell(target.compiler.version)}',
        f"mkdir -p {folder}",
        f"printf '%s\\n' {' '.join(map(shell, lines))} >{folder}/{name}.sh",
    ]
    return {
        **_stub(f"{name}_{platform}", target.compiler.version, script),
        "requirements": {"run": [f"sysroot_{platform} =={words.version(target.glibc)}"]},
    }


def _stub(name: str, version: str, script: list[str]) -> dict[str, Any]:
    return {
        "package": {"name": name, "version": words.version(version)},
        "build": {"number": 0, "string": "os_0", "script": {"content": script}},
    }


def _compiler_name(language: str) -> str:
    return f"os-{language}"


def _programs(compiler: Compiler) -> dict[str, str]:
    known = {"c": compiler.c, "cxx": compiler.cxx, "fortran": compiler.fortran}
    return {language: program for language in compiler.languages if (program := known.get(language))}


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
