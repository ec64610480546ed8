"""Whether a target's system is what the target says: compiler, C and C++ libraries and tools, asked of the system.

A version that was written down wrongly would decide what is locked and what is refused for years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lode import process
from lode.building import seal as seals
from lode.definitions.target import Target

_VERSION = re.compile(r"\d+(?:\.\d+)+")
_SYMBOL = re.compile(rb"GLIBCXX_(\d+(?:\.\d+)+)\0")
_TIMEOUT_S = 60
_LIBRARIES = ("usr/lib", "usr/lib64", "lib", "lib64")


def differences(target: Target, role: str, system: Path, versions: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the system in the folder `system` has otherwise than `target` says, in sentences.

    `versions` are those of its packages: a tool may call itself otherwise than its package does.
    """
    programs = [*_compilers(target, system), *_tools(target, system, versions)] if role == "builder" else []
    return (*_libraries(target, system), *programs)


def _libraries(target: Target, system: Path) -> Iterator[str]:
    newest = _newest_symbol(system)
    if newest is None:
        yield "it has no libstdc++.so.6"
    elif newest != target.libstdcxx:
        yield f"its libstdc++ has symbols up to GLIBCXX_{newest}, the target says {target.libstdcxx}"
    said = _say(system, ["ldd", "--version"]) or ""
    match = _VERSION.search(said.partition("\n")[0].rpartition(")")[2])
    found = match[0] if match else "unknown"
    if found != target.glibc:
        yield f"its C library is {found}, the target says {target.glibc}"


def _compilers(target: Target, system: Path) -> Iterator[str]:
    compiler = target.compiler
    paths = {"c": compiler.c, "cxx": compiler.cxx, "fortran": compiler.fortran}
    for language in compiler.languages:
        program = paths[language]
        found = (_say(system, [program, "-dumpfullversion"]) or "").strip() if program else ""
        if found != compiler.version:
            yield f"{program} is {found or 'not there'}, the target says {compiler.version}"


def _tools(target: Target, system: Path, versions: Mapping[str, str]) -> Iterator[str]:
    for external in target.externals:
        packaged = _VERSION.search(versions.get(external.system_package, "").rpartition(":")[2])
        if packaged is not None and packaged[0] == external.version:
            continue
        said = _say(system, [external.program, "--version"])
        if said is None:
            yield f"{external.program} of {external.system_package} is not there"
        elif external.version not in _VERSION.findall(said):
            found = next(iter(_VERSION.findall(said)), "of an unknown version")
            yield f"{external.program} is {found}, the target says {external.version}"


def _newest_symbol(system: Path) -> str | None:
    """Return the newest GLIBCXX_ symbol version that the system's libstdc++ defines."""
    for folder in _LIBRARIES:
        for library in sorted((system / folder).glob("**/libstdc++.so.6")):
            if "gcc" in library.parts:
                continue
            found = {tuple(int(part) for part in each.split(b".")) for each in _SYMBOL.findall(library.read_bytes())}
            if found:
                return ".".join(map(str, max(found)))
    return None


def _say(system: Path, argv: Sequence[str]) -> str | None:
    """Return what a program of the system prints; None when it cannot be run."""
    host = seals.best()
    if host.kind == "none":  # root's own means, where there is no bubblewrap
        command = ["chroot", str(system), *argv]
    else:
        seal = seals.Seal(kind="rootfs", root=system, user=host.user)
        command = seals.sealed(seal, argv, binds=(), env={"LC_ALL": "C.UTF-8"}, cwd="/")
    ended = process.run(command, timeout_s=_TIMEOUT_S)
    return ended.stdout or ended.stderr if ended.status == 0 else None
