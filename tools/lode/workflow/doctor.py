"""Whether this machine can build for a target and run what was built: what is asked, found, and to be done.

`look` reads the machine, `examine` judges what was read, `install` brings the Debian packages that are missing.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from lode import process
from lode.building import seal
from lode.definitions.target import Target
from lode.errors import Fault, HostError

DISK_NEEDED = 2_000_000_000  # bytes: less than this and a first build of dance-mini does not end
DISK_GOOD = 10_000_000_000
MEMORY_GOOD_MB = 2_000
OWN_PACKAGES = ("bubblewrap",)  # what Lode itself starts: seals builds, shows a prefix at its final path
_NO_FOLDERS: Mapping[str, Path] = MappingProxyType({})
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")


class Verdict(StrEnum):
    """How a check came out."""

    GOOD = "good"
    NOTE = "note"  # works, but worth knowing
    MISSING = "missing"  # a build cannot go on without it


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at: what was found, and what to do when it is not good."""

    name: str
    verdict: Verdict
    found: str
    hint: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All checks for a target, and the OS packages that are missing."""

    target: str | None
    checks: tuple[Check, ...]
    missing_packages: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether nothing that a build needs is missing."""
        return all(check.verdict is not Verdict.MISSING for check in self.checks)


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


def examine(target: Target | None, machine: Machine) -> Examination:
    """Return the judgement on `machine` for `target`; None: no target of the collections is for this machine."""
    missing = tuple(sorted(name for name, there in machine.packages.items() if not there))
    checks = [
        _operating_system(target, machine),
        *_compilers(target, machine),
        *_packages(machine, missing),
        _seal(machine),
        *_folders(machine),
        _disk(machine),
        _memory(machine),
        _fuse(machine),
        _proxy(machine),
    ]
    return Examination(
        target=target.name if target else None,
        checks=tuple(check for check in checks if check),
        missing_packages=missing,
    )


def require(target: Target, *, cache: Path, environ: Mapping[str, str]) -> None:
    """Raise HostError with all that a build for `target` misses on this machine, unless it misses nothing."""
    examination = examine(target, look(target, cache=cache, environ=environ))
    faults = [
        Fault(message=f"{check.name}: {check.found}", hint=check.hint)
        for check in examination.checks
        if check.verdict is Verdict.MISSING
    ]
    if faults:
        raise HostError.of(faults)


def fitting(targets: Sequence[Target], machine_os: tuple[str, str, str]) -> Target | None:
    """Return the first target for this OS, version and architecture; None when there is none."""
    return next((t for t in targets if (t.os, t.os_version, t.arch) == machine_os), None)


def this_os() -> tuple[str, str, str]:
    """Return ID and VERSION_ID of the operating system, and the architecture."""
    return (*_os_release(Path("/etc/os-release")), os.uname().machine)


def install_line(machine_os: str, packages: Sequence[str]) -> str:
    """Return the command that installs OS packages, to be run by root."""
    program = "apt-get" if machine_os in ("debian", "ubuntu") else "dnf"
    return f"{program} install {' '.join(packages)}"


def install(
    machine: Machine, packages: Sequence[str], *, environ: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Install OS packages, each line of the installer given to `say`; HostError unless root, or when it fails."""
    if not packages:
        return
    line = install_line(machine.os, packages)
    if not machine.root:
        raise HostError("--install-deps must be root to install OS packages", hint=f"sudo {line}")
    program, verb, *names = line.split()
    commands = [[program, verb, "-y", *names]]
    if program == "apt-get":
        commands = [["apt-get", "update", "-q"], ["apt-get", verb, "-y", "-q", "--no-install-recommends", *names]]
    for command in commands:
        ended = process.run(command, env={**environ, "DEBIAN_FRONTEND": "noninteractive"}, on_line=say)
        if ended.status:
            raise HostError(f"`{' '.join(command)}` failed with exit status {ended.status}", hint="its output is above")


def _operating_system(target: Target | None, machine: Machine) -> Check:
    found = f"{machine.os} {machine.os_version} {machine.arch}, kernel {machine.kernel}"
    if target is None:
        hint = "`lode list targets` names the targets; a build for one runs on its own operating system"
        return Check(name="operating system", verdict=Verdict.MISSING, found=f"{found}: no target fits", hint=hint)
    if (target.os, target.os_version, target.arch) != (machine.os, machine.os_version, machine.arch):
        wanted = f"{target.os} {target.os_version} {target.arch}"
        hint = f"build for {target.name} on {wanted}, in a container for instance"
        return Check(name="operating system", verdict=Verdict.MISSING, found=f"{found}, not {wanted}", hint=hint)
    return Check(name="operating system", verdict=Verdict.GOOD, found=f"{found} ({target.name})")


def _compilers(target: Target | None, machine: Machine) -> list[Check]:
    checks = []
    for program, version in machine.compilers.items():
        assert target is not None  # compilers are looked for only when a target names them
        wanted = target.compiler.version
        if version is None:
            check = Check(name="compiler", verdict=Verdict.MISSING, found=f"{program} is not there",
                          hint=f"install {target.compiler.name} {wanted} of the operating system")  # fmt: skip
        elif version != wanted:
            check = Check(name="compiler", verdict=Verdict.MISSING, found=f"{program} is {version}, not {wanted}",
                          hint=f"{target.name} is locked to {target.compiler.name} {wanted}")  # fmt: skip
        else:
            check = Check(name="compiler", verdict=Verdict.GOOD, found=f"{program} {version}")
        checks.append(check)
    return checks


def _packages(machine: Machine, missing: tuple[str, ...]) -> list[Check]:
    if not machine.packages:
        return []
    if missing:
        line = install_line(machine.os, missing)
        hint = f"as root: {line} (or `lode doctor --install-deps`)"
        return [Check(name="OS packages", verdict=Verdict.MISSING, found=f"missing: {', '.join(missing)}", hint=hint)]
    return [Check(name="OS packages", verdict=Verdict.GOOD, found=f"all {len(machine.packages)} there")]


def _seal(machine: Machine) -> Check:
    if machine.seal.kind == "none":
        hint = (
            "builds run unsealed and say so in their record; a prefix works only where it really is at its final path"
        )
        return Check(name="seal", verdict=Verdict.NOTE, found=f"none: {machine.seal.reason}", hint=hint)
    return Check(name="seal", verdict=Verdict.GOOD, found=f"{machine.seal.kind}: builds see neither home nor network")


def _folders(machine: Machine) -> list[Check]:
    """Return one check when all is well, else one for each folder that cannot be written to."""
    if not machine.folders:
        return []
    closed = [
        Check(
            name="folders",
            verdict=Verdict.NOTE if folder.name == "mirror" else Verdict.MISSING,
            found=f"the {folder.name} {folder.path} cannot be written to: {folder.reason}",
            hint=f"set LODE_{folder.name.upper()} to a folder of your own"
            + ("; a mirror that already has every source is enough" if folder.name == "mirror" else ""),
        )
        for folder in machine.folders
        if folder.reason
    ]
    names = ", ".join(folder.name for folder in machine.folders)
    return closed or [Check(name="folders", verdict=Verdict.GOOD, found=f"can be written to: {names}")]


def _disk(machine: Machine) -> Check:
    found = f"{machine.disk_free / 1e9:.1f} GB free for {machine.disk_folder}"
    if machine.disk_free < DISK_NEEDED:
        hint = f"{DISK_NEEDED / 1e9:.0f} GB are needed; LODE_CACHE puts the cache elsewhere"
        return Check(name="disk", verdict=Verdict.MISSING, found=found, hint=hint)
    if machine.disk_free < DISK_GOOD:
        hint = f"large stacks need {DISK_GOOD / 1e9:.0f} GB; LODE_CACHE puts the cache elsewhere"
        return Check(name="disk", verdict=Verdict.NOTE, found=found, hint=hint)
    return Check(name="disk", verdict=Verdict.GOOD, found=found)


def _memory(machine: Machine) -> Check:
    cpus = f"{machine.cpus} CPU{'s' if machine.cpus != 1 else ''}"
    if machine.memory_mb is None:
        return Check(name="memory", verdict=Verdict.NOTE, found=f"unknown, {cpus}")
    found = f"{machine.memory_mb / 1024:.1f} GiB available, {cpus}"
    if machine.memory_mb < MEMORY_GOOD_MB:
        hint = "C++ needs about 2 GiB a compiler: use few jobs (-j 1)"
        return Check(name="memory", verdict=Verdict.NOTE, found=found, hint=hint)
    return Check(name="memory", verdict=Verdict.GOOD, found=found)


def _fuse(machine: Machine) -> Check:
    if machine.fuse:
        return Check(name="FUSE", verdict=Verdict.GOOD, found="/dev/fuse can be used: CernVM-FS can be mounted")
    hint = "only mounting CernVM-FS needs it, building does not"
    return Check(name="FUSE", verdict=Verdict.NOTE, found="/dev/fuse is missing or closed to this user", hint=hint)


def _proxy(machine: Machine) -> Check:
    found = f"set: {', '.join(machine.proxies)}" if machine.proxies else "none set"
    return Check(name="proxy variables", verdict=Verdict.GOOD, found=found)


def _programs(target: Target | None) -> tuple[str, ...]:
    if target is None:
        return ()
    compiler = target.compiler
    by_language = {"c": compiler.c, "cxx": compiler.cxx, "fortran": compiler.fortran}
    return tuple(program for name in compiler.languages if (program := by_language.get(name)))


def _unwritable(path: Path) -> str:
    """Return why nothing can be written below `path`, which need not exist; empty when something can."""
    there = next(parent for parent in (path, *path.parents) if os.path.lexists(parent))
    if not there.is_dir():
        return f"{there} is no folder"
    if os.access(there, os.W_OK | os.X_OK):
        return ""
    return os.strerror(errno.EROFS if os.statvfs(there).f_flag & os.ST_RDONLY else errno.EACCES)


def _names(target: Target | None) -> tuple[str, ...]:
    """Return the names of the OS packages that building for `target` and testing need, without their versions."""
    if target is None:
        return ()
    asked = {*target.system_packages, *(external.system_package for external in target.externals), *OWN_PACKAGES}
    return tuple(sorted({package.partition("=")[0] for package in asked}))


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
