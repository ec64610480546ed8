"""This machine's Python, carried into a foreign root file system with the loader and libraries that it runs on.

The worker must run in a target that has no Python, or an old one, and any C library. What this very process runs on is
shown there below one folder and started through its own loader; nothing that the build itself starts uses it.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from lode import process
from lode.building import worker
from lode.building.seal import Bind
from lode.errors import HostError

HOME = "/lode/python"
CERTIFICATES = f"{HOME}/certificates.pem"  # for the worker's HTTP client, which does not start without any, nor is used
_MAPPED = (
    "import importlib, sys; sys.path[:0] = sys.argv[1].split('\\n'); "
    "[importlib.import_module(name) for name in sys.argv[2:]]; "
    "print(*{line.split(None, 5)[5] for line in open('/proc/self/maps') if '.so' in line}, sep='', end='')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How to start this Python in a foreign root: the words before its arguments, what is bound, what is set."""

    argv: tuple[str, ...]
    binds: tuple[Bind, ...]
    env: tuple[tuple[str, str], ...]
    folders: tuple[str, ...]  # where the modules' packages lie inside


def program() -> Path:
    """Return the interpreter that runs this process, outside of any virtual environment."""
    return Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))


def stdlib() -> Path:
    """Return the folder of the interpreter's own modules."""
    return Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))


def module_folders(names: Sequence[str]) -> tuple[Path, ...]:
    """Return the folders that the packages `names` are imported from; HostError when one is not installed."""
    folders: dict[Path, None] = {}
    for name in names:
        found = importlib.util.find_spec(name)
        if found is None or not found.submodule_search_locations:
            raise HostError(f"the Python package {name} is not installed", hint="install Lode again")
        folders[Path(found.submodule_search_locations[0]).resolve().parent] = None
    return tuple(folders)


@functools.cache
def carried(packages: tuple[str, ...], entry: str) -> Carried:
    """Return how to run the module `entry`, found with the `packages` that it needs, in any root of this architecture.

    The libraries are those that a process has mapped once it has imported them all.
    """
    python, folders = program(), module_folders(packages)
    loader = _interpreter(python)
    binds = [
        Bind(source=python, destination=f"{HOME}/bin/python3"),
        Bind(source=loader, destination=f"{HOME}/libc/{loader.name}"),
        Bind(source=stdlib(), destination=f"{HOME}/{sys.platlibdir}/{stdlib().name}"),
    ]
    certificates = next((Path(file).resolve() for file in worker.CERTIFICATES if Path(file).is_file()), None)
    if certificates is not None:
        binds.append(Bind(source=certificates, destination=CERTIFICATES))
    inside = []
    for number, folder in enumerate(folders):
        inside.append(f"{HOME}/modules/{number}")
        binds.append(Bind(source=folder, destination=inside[-1]))
    seen = [stdlib().resolve(), *folders]
    for path in _mapped(python, folders, (entry, *packages)):
        if path != loader and not any(path.is_relative_to(folder) for folder in seen):
            binds.append(Bind(source=path, destination=f"{HOME}/libc/{_soname(path)}"))
    return Carried(
        argv=(
            f"{HOME}/libc/{loader.name}",
            "--library-path",
            f"{HOME}/libc",
            "--argv0",
            f"{HOME}/bin/python3",
            f"{HOME}/bin/python3",
        ),
        binds=tuple(binds),
        env=(("PYTHONHOME", HOME),),
        folders=tuple(inside),
    )


def _mapped(python: Path, folders: Sequence[Path], modules: Sequence[str]) -> tuple[Path, ...]:
    """Return the shared objects that `python` has mapped once it has imported `modules`, sorted."""
    search = "\n".join(str(folder) for folder in folders)
    ended = process.run([str(python), "-s", "-P", "-B", "-c", _MAPPED, search, *modules], timeout_s=120)
    if ended.status != 0:
        last = (ended.stderr.strip().splitlines() or [f"exit status {ended.status}"])[-1]
        raise HostError(f"this Python cannot import what builds nodes: {last}", hint="install Lode again")
    return tuple(sorted({Path(line).resolve() for line in ended.stdout.splitlines()}))


def _interpreter(python: Path) -> Path:
    """Return the loader that a program names (PT_INTERP); HostError when it has none."""
    with python.open("rb") as stream:
        segments: Any = ELFFile(stream).iter_segments("PT_INTERP")
        for segment in segments:
            return Path(segment.get_interp_name()).resolve()
    raise HostError(f"{python} has no loader: a static Python cannot build for another operating system")


def _soname(library: Path) -> str:
    with library.open("rb") as stream:
        dynamic: Any = ELFFile(stream).get_section_by_name(".dynamic")
        names = [tag.soname for tag in dynamic.iter_tags("DT_SONAME")] if dynamic is not None else []
    return names[0] if names else library.name
