"""Choosing what holds a build, and a test, of a target on this machine: a container, its own system, or the host's.

A container of the target's system is the strongest; its root file system under bubblewrap serves where no engine runs;
the host serves when it is the target. What is not to be had says why.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lode import digest
from lode.building import roots
from lode.building.roots import Root
from lode.building.seal import Seal, best
from lode.definitions import system_lock
from lode.definitions.target import Target
from lode.errors import HostError
from lode.workflow import doctor, host

ASKED = ("auto", "docker", "rootfs", "host")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What decides which seals this machine has."""

    cache: Path
    environ: Mapping[str, str]


def choose(target: Target, role: str, asked: str, site: Site) -> Seal:
    """Return the seal for the builder or the runtime of `target`: what is `asked` for, or the best with `auto`.

    HostError with every reason when there is none.
    """
    ways = {"docker": _docker, "rootfs": _rootfs, "host": _host}
    refused: dict[str, HostError] = {}
    for kind in ways if asked == "auto" else (asked,):
        try:
            return ways[kind](target, role, site, "; ".join(error.faults[0].message for error in refused.values()))
        except HostError as error:
            refused[kind] = error
    if asked != "auto":
        raise refused[asked]
    reasons = {kind: error.faults[0].message for kind, error in refused.items()}
    if roots.find(site.cache, target.name, role) is None:
        if _is_here(target):
            raise refused["host"]
        hint = f"`lode target build {target.name}` makes its systems; or work on a machine that is one"
        raise HostError(f"{reasons['docker']}, and {reasons['host']}", hint=hint)
    raise HostError(
        f"nothing here can hold {target.name}: {'; '.join(reasons.values())}", hint=refused["docker"].faults[0].hint
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What holds the tests of a prefix, and what they compile: one and the same on the host."""

    tests: Seal
    compiling: Seal


def for_tests(target: Target, asked: str, site: Site) -> Bench:
    """Return what holds the tests of a prefix for `target`: its own runtime, or this host whatever it is.

    With `auto` the host serves where no system of the target has been made.
    """
    if asked != "host":
        for kind in ("docker", "rootfs") if asked == "auto" else (asked,):
            try:
                return Bench(
                    tests=choose(target, "runtime", kind, site), compiling=choose(target, "builder", kind, site)
                )
            except HostError:
                if asked != "auto":
                    raise
    return Bench(tests=best(), compiling=best())


def held(target: Target, role: str, site: Site) -> str:
    """Return which seal `auto` would choose, without making anything; empty when there is none."""
    try:
        return choose(target, role, "auto", site).kind
    except HostError:
        return ""


def engines(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the addresses of the container engines of this machine: the one named, else the sockets that are there."""
    if named := environ.get("DOCKER_HOST"):
        return (named,)
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    sockets = (
        "/var/run/docker.sock",
        f"{runtime}/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    )
    return tuple(f"unix://{path}" for path in sockets if Path(path).is_socket())


def engine_of(environ: Mapping[str, str]) -> str:
    """Return the address of an engine that answers; HostError, with what each said, when none does."""
    from lode.building import engine

    said = []
    for address in engines(environ):
        try:
            engine.client(address)
        except HostError as error:
            said.append(error.faults[0].message)
        else:
            return address
    raise HostError(
        "; ".join(said) or "no container engine runs here", hint="start dockerd, or name its socket in DOCKER_HOST"
    )


def _docker(target: Target, role: str, site: Site, reason: str) -> Seal:
    from lode.building import engine

    root = _root(target, role, site)
    address = engine_of(site.environ)
    engine.bring(address, root.image, root.folder, root.inventory)
    return Seal(kind="docker", engine=address, image=root.image, reason=reason)


def _rootfs(target: Target, role: str, site: Site, reason: str) -> Seal:
    root = _root(target, role, site)
    host = best()
    if host.kind == "none":
        raise HostError(host.reason, hint="install bubblewrap (apt-get install bubblewrap) or allow user namespaces")
    return Seal(kind="rootfs", root=root.folder, user=host.user, reason=reason)


def _host(target: Target, role: str, site: Site, reason: str) -> Seal:
    del reason  # the host itself is no lesser place to build for it
    if not _is_here(target):
        raise HostError(
            f"this machine is {' '.join(host.this_os())}, not {target.os} {target.os_version} {target.arch}",
            hint=f"build for {target.name} in its container: `lode target build {target.name}`",
        )
    if role == "builder":
        doctor.require(target, cache=site.cache, environ=site.environ)
    return best()


def _is_here(target: Target) -> bool:
    return (target.os, target.os_version, target.arch) == host.this_os()


def _root(target: Target, role: str, site: Site) -> Root:
    root = roots.find(site.cache, target.name, role)
    if root is None:
        raise HostError(
            f"the {role} of {target.name} has not been made here", hint=f"`lode target build {target.name}` makes it"
        )
    if root.asked != digest.of_document("system", 1, system_lock.asked(target)):
        raise HostError(
            f"the {role} of {target.name} was made when the target said something else",
            hint=f"`lode target build {target.name}` makes it again",
        )
    return root
