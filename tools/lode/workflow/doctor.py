"""Whether this machine can build for a target and run what was built: what is asked, found, and to be done.

`examine` judges what `host` has read of the machine, `install` brings the OS packages that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lode import process
from lode.definitions.target import Target
from lode.errors import Fault, HostError
from lode.workflow import host
from lode.workflow.host import Machine

DISK_NEEDED = 2_000_000_000  # bytes: less than this and a first build of dance-mini does not end
DISK_GOOD = 10_000_000_000
MEMORY_GOOD_MB = 2_000


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
class Examination:
    """All checks for a target, and the OS packages that are missing."""

    target: str | None
    checks: tuple[Check, ...]
    missing_packages: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether nothing that a build needs is missing."""
        return all(check.verdict is not Verdict.MISSING for check in self.checks)


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
    examination = examine(target, host.look(target, cache=cache, environ=environ))
    faults = [
        Fault(message=f"{check.name}: {check.found}", hint=check.hint)
        for check in examination.checks
        if check.verdict is Verdict.MISSING
    ]
    if faults:
        raise HostError.of(faults)


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
