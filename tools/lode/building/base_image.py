"""Systems from a public base image that is pinned by digest, its packages installed in a container of it.

This needs a container engine, and a network that reaches the image's registry and the distribution's mirrors: what is
not to be had is said. The container is thrown away; its file system is exported and put in canonical form.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lode.building import engine
from lode.definitions.system_lock import SystemPackage
from lode.definitions.target import Target
from lode.errors import BuildError, HostError

_DEBIAN = ("debian", "ubuntu")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # as images call them
_LIST = {  # name, version and architecture of every package that is installed, a line each
    True: ["dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\\n"],
    False: ["rpm", "-qa", "--qf", "%{NAME} %{EVR} %{ARCH}\\n"],
}


def choose(address: str, target: Target, wanted: Mapping[str, Sequence[str]]) -> tuple[SystemPackage, ...]:
    """Return all packages of each role's system, sorted: those of the base image, and what `wanted` brings today."""
    roles: dict[SystemPackage, list[str]] = {}
    for role, names in wanted.items():
        with _container(address, target) as container:
            _install(container, target, [name.replace("=", _joint(target)) for name in names], _nowhere)
            for package in _installed(container, target):
                roles.setdefault(package, []).append(role)
    chosen = [replace(package, roles=tuple(sorted(found))) for package, found in roles.items()]
    return tuple(sorted(chosen, key=lambda package: (package.name, package.version, package.arch)))


def make(
    address: str,
    target: Target,
    role: str,
    packages: Sequence[SystemPackage],
    tar: Path,
    *,
    on_line: Callable[[str], None],
) -> None:
    """Write the file system of the base image with exactly `packages` installed to `tar`.

    HostError when the image or a mirror cannot be reached; BuildError when the mirrors have other versions by now.
    """
    with _container(address, target) as container:
        there = {(package.name, package.version, package.arch) for package in _installed(container, target)}
        missing = [each for each in packages if (each.name, each.version, each.arch) not in there]
        _install(container, target, [_exact(target, package) for package in missing], on_line)
        found = {(package.name, package.version, package.arch) for package in _installed(container, target)}
        listed = {(package.name, package.version, package.arch) for package in packages}
        if found != listed:
            first = min(found ^ listed)
            raise BuildError(
                f"the {role} of {target.name} came out with other packages than its lock lists: {' '.join(first)} "
                f"{'is too many' if first in found else 'is missing'}",
                hint=f"`lode target update {target.name}` takes what the mirrors have today",
            )
        with tar.open("wb") as file:
            for chunk in container.export():
                file.write(chunk)


@contextlib.contextmanager
def _container(address: str, target: Target) -> Iterator[Any]:
    """Yield a running container of the target's base image, which is pulled first."""
    reference = target.base.image
    assert reference is not None
    engine.pull(address, reference, platform=f"linux/{_ARCHITECTURES.get(target.arch, target.arch)}")
    with engine.kept(address, reference) as container:
        yield container


def _install(container: Any, target: Target, names: Sequence[str], on_line: Callable[[str], None]) -> None:
    if not names:
        return
    if target.os in _DEBIAN:
        snapshot = ["--snapshot", target.base.snapshot] if target.base.snapshot else []
        commands = [
            ["apt-get", "update", "-q", *snapshot],
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", "--allow-downgrades", *snapshot, *names],
        ]
    else:
        commands = [["dnf", "-y", "--nodocs", "--setopt=install_weak_deps=False", "install", *names]]
    for command in commands:
        status, said = engine.inside(container, command, {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"})
        for line in said.splitlines():
            on_line(line)
        if status != 0:
            last = next((line for line in reversed(said.splitlines()) if line.strip()), f"status {status}")
            raise HostError(
                f"the packages of {target.name} cannot be installed in its base image: {last.strip()}",
                hint="this needs the distribution's mirrors, and versions that they still have",
            )


def _installed(container: Any, target: Target) -> Iterator[SystemPackage]:
    status, said = engine.inside(container, _LIST[target.os in _DEBIAN], {"LC_ALL": "C"})
    if status != 0:
        raise BuildError(f"the base image of {target.name} cannot list its packages: {said.strip()}")
    for line in said.splitlines():
        name, version, arch = line.split()
        if name != "gpg-pubkey":  # rpm lists keys among the packages
            yield SystemPackage(name=name, version=version, arch=arch, roles=())


def _nowhere(_: str) -> None:
    """Hear what nobody asked for."""


def _exact(target: Target, package: SystemPackage) -> str:
    if target.os in _DEBIAN:
        return f"{package.name}={package.version}"
    return f"{package.name}-{package.version.removeprefix('(none):')}.{package.arch}"


def _joint(target: Target) -> str:
    return "=" if target.os in _DEBIAN else "-"
