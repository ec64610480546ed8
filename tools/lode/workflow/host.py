"""What this machine is and has of what a target asks for; nothing of it is judged, see `doctor`."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from lode import process
from lode.building import seal
from lode.definitions.target import Target
from lode.errors import HostError

OWN_PACKAGES = ("bubblewrap",)  # what Lode itself starts: seals builds, shows a prefix at its final path
_NO_FOLDERS: Mapping[str, Path] = MappingProxyType({})
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that Lode writes to, and why it cannot be written to; empty when it can, or can be made."""

    name: str  # "cache", "mirror", "releases"
    path: Path
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What was read of this machine. Nothing in it is judged."""

    os: str  # ID of /etc/os-release
    os_version: str  # VERSION_ID
    arch: str
    kernel: str
    cpus: int
    memory_mb: int | None  # that a new program can have; None when the kernel does not say
    disk_folder: Path  # where the cache lies or will lie
    disk_free: int  # bytes
    seal: seal.Seal
    fuse: bool
    proxies: tuple[str, ...]  # names of the variables that are set, never their values
    root: bool
    compilers: Mapping[str, str | None]  # program to full version; None: not there
    packages: Mapping[str, bool]  # OS package of the target to whether it is installed; empty on another OS
    folders: tuple[Folder, ...] = ()  # those that were asked about


def look(
    target: Target | None, *, cache: Path, environ: Mapping[str, str], folders: Mapping[str, Path] = _NO_FOLDERS
) -> Machine:
    """Return what this machine has of what `target` asks for; a few programs are started, nothing is changed.

    `folders`, by name, are looked at whether they can be written to.
    """
    release = _os_release(Path("/etc/os-release"))
    kernel = os.uname()
    folder = next(path for path in (cache, *cache.parents) if path.is_dir())
    same = target is not None and (target.os, target.os_version) == release
    return Machine(
        os=release[0],
        os_version=release[1],
        arch=kernel.machine,
        kernel=kernel.release,
        cpus=len(os.sched_getaffinity(0)),
        memory_mb=_memory_mb(Path("/proc/meminfo")),
        disk_folder=folder,
        disk_free=shutil.disk_usage(folder).free,
        seal=seal.best(),
        fuse=os.access("/dev/fuse", os.R_OK | os.W_OK),
        proxies=tuple(sorted(name for name in environ if name.lower() in _PROXIES and environ[name])),
        root=os.geteuid() == 0,
        compilers={program: _compiler_version(program) for program in _programs(target)},
        packages=_installed(_names(target)) if target is not None and same else {},
        folders=tuple(Folder(name=name, path=path, reason=_unwritable(path)) for name, path in folders.items()),
    )


def fitting(targets: Sequence[Target], machine_os: tuple[str, str, str]) -> Target | None:
    """Return the first target for this OS, version and architecture; None when there is none."""
    return next((t for t in targets if (t.os, t.os_version, t.arch) == machine_os), None)


def this_os() -> tuple[str, str, str]:
    """Return ID and VERSION_ID of the operating system, and the architecture."""
    return (*_os_release(Path("/etc/os-release")), os.uname().machine)


def _programs(target: Target | None) -> tuple[str, ...]:
    if target is None:
        return ()
    compiler = target.compiler
    by_language = {"c": compiler.c, "cxx": compiler.cxx, "fortran": compiler.fortran}
    return tuple(program for name in compiler.languages if (program := by_language.get(name)))


def _names(target: Target | None) -> tuple[str, ...]:
    """Return the names of the OS packages that building for `target` and testing need, without their versions."""
    if target is None:
        return ()
    asked = {*target.system_packages, *(external.system_package for external in target.externals), *OWN_PACKAGES}
    return tuple(sorted({package.partition("=")[0] for package in asked}))


def _unwritable(path: Path) -> str:
    """Return why nothing can be written below `path`, which need not exist; empty when something can."""
    there = next(parent for parent in (path, *path.parents) if os.path.lexists(parent))
    if not there.is_dir():
        return f"{there} is no folder"
    if os.access(there, os.W_OK | os.X_OK):
        return ""
    return os.strerror(errno.EROFS if os.statvfs(there).f_flag & os.ST_RDONLY else errno.EACCES)


def _compiler_version(program: str) -> str | None:
    try:
        ended = process.run([program, "-dumpfullversion"], timeout_s=20)
    except HostError:
        return None
    return ended.stdout.strip() if ended.status == 0 and ended.stdout.strip() else None


def _installed(names: Sequence[str]) -> dict[str, bool]:
    """Return for each OS package whether it is installed; empty when the package manager cannot be asked."""
    if not names:
        return {}
    try:
        if shutil.which("dpkg-query"):
            asked = process.run(
                ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *names], timeout_s=60
            ).stdout
            there = {line.split()[0] for line in asked.splitlines() if line.endswith(" installed")}
        else:
            there = {name for name in names if process.run(["rpm", "-q", "--whatprovides", name]).status == 0}
    except HostError:
        return {}
    return {name: name in there for name in names}


def _os_release(file: Path) -> tuple[str, str]:
    """Return ID and VERSION_ID of os-release(5), `unknown` for what it does not say."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    return said.get("ID", "unknown").strip("\"'"), said.get("VERSION_ID", "unknown").strip("\"'")


def _memory_mb(file: Path) -> int | None:
    """Return MemAvailable of /proc/meminfo in MiB."""
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:")), None)
