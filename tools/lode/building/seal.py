"""Seals: what a program may see of this machine while it builds, or while a prefix is used at its final path.

A seal is made by bubblewrap, which works as root and, where user namespaces are allowed, for anyone. `sealed` shows a
build the operating system and what is bound, nothing else; `viewed` shows a program the whole host plus what is bound.
Without bubblewrap, `sealed` still runs the program, and the record says why it was unsealed.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lode.errors import HostError

HOSTNAME = "lode"
PATH = "/usr/bin:/bin"
_SYSTEM_FOLDERS = ("usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
ETC = Path(__file__).with_name("etc")  # what a build reads about its user and host, the same everywhere
USER_ID = "1000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What holds a program: `bubblewrap` with the host's system, `rootfs` or `docker` with a target's, or `none`."""

    kind: str  # "bubblewrap" | "rootfs" | "docker" | "none"
    reason: str = ""  # why there is no seal; empty when there is one
    user: bool = True  # builds run as one fixed user, in a user namespace
    root: Path | None = None  # of `rootfs`: the folder whose system is shown in place of the host's
    engine: str = ""  # of `docker`: the address of the engine
    image: str = ""  # of `docker`: the name of the image in the engine

    @property
    def foreign(self) -> bool:
        """Return whether programs run on another operating system's files than the host's."""
        return self.kind in ("rootfs", "docker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A folder or file of the host, and where the sealed program sees it."""

    source: Path
    destination: str
    writable: bool = False


NONE = Seal(kind="none", reason="asked for", user=False)


@functools.cache
def best() -> Seal:
    """Return the strongest seal that this host allows, by trying it."""
    if not shutil.which("bwrap"):
        return Seal(kind="none", reason="bubblewrap (bwrap) is not installed", user=False)
    reason = ""
    for user in (True, False):
        seal = Seal(kind="bubblewrap", user=user)
        argv = sealed(seal, ["/usr/bin/true"], binds=(), env={}, cwd="/", network=False)
        try:
            attempt = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = str(error)
            continue
        if attempt.returncode == 0:
            return seal
        reason = attempt.stderr.strip().splitlines()[-1] if attempt.stderr.strip() else f"status {attempt.returncode}"
    return Seal(kind="none", reason=f"bubblewrap does not work here: {reason}", user=False)


def sealed(
    seal: Seal,
    argv: Sequence[str],
    *,
    binds: Sequence[Bind],
    env: Mapping[str, str],
    cwd: str,
    network: bool = False,
) -> list[str]:
    """Return the command that runs `argv` with nothing but the operating system, `binds` and `env`.

    /usr/local, /home and /root are empty unless bound, /tmp is private, the host is called `lode`, and there is no
    network unless asked for. With the seal `none` only the environment is cleared and the binds are not made: `cwd`
    and `argv` must then name the sources.
    """
    variables = {"PATH": PATH, **env}
    if seal.kind == "none":
        words = [f"{name}={value}" for name, value in sorted(variables.items())]
        return ["/usr/bin/env", "-i", "-C", cwd, *words, *argv]
    command = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", HOSTNAME]
    if not network:
        command.append("--unshare-net")
    if seal.user:
        command += ["--unshare-user", "--uid", USER_ID, "--gid", USER_ID]
    command += _system(seal.root or Path("/"))
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/usr/local"]  # noqa: S108
    for bind in sorted(binds, key=lambda bind: PurePosixPath(bind.destination).parts):
        command += ["--bind" if bind.writable else "--ro-bind", str(bind.source), bind.destination]
    command += ["--remount-ro", "/", "--clearenv"]
    for name, value in sorted(variables.items()):
        command += ["--setenv", name, value]
    return [*command, "--chdir", cwd, "--", *argv]


def viewed(
    seal: Seal,
    argv: Sequence[str],
    *,
    binds: Sequence[Bind],
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    alone: bool = False,
) -> list[str]:
    """Return the command that runs `argv` on the host as it is, with `binds` on top.

    The environment stays as it is but for `env`. A destination whose folder the host does not have
    (`/cvmfs/<repository>/…`) is made in memory beside what the host has there. `alone`: the program has no network but
    its own loopback, and nothing that it starts outlives it. With the seal `none` the command runs as it is, and
    HostError is raised unless every destination already is its source.
    """
    extra = dict(env or {})
    if seal.kind == "none":
        _refuse_unseen(seal, binds)
        words = [f"{name}={value}" for name, value in sorted(extra.items())]
        return ["/usr/bin/env", *(["-C", cwd] if cwd else []), *words, *argv]
    command = ["bwrap", "--die-with-parent"]
    command += _host(Path("/"), [PurePosixPath(bind.destination) for bind in binds])
    command += _parents(binds)
    for bind in sorted(binds, key=lambda bind: PurePosixPath(bind.destination).parts):
        command += ["--dev-bind" if bind.writable else "--ro-bind", str(bind.source), bind.destination]
    if alone:
        command += ["--unshare-net", "--unshare-pid", "--proc", "/proc"]
    command += ["--remount-ro", "/"]
    for name, value in sorted(extra.items()):
        command += ["--setenv", name, value]
    return [*command, "--chdir", cwd or os.getcwd(), "--", *argv]


def _system(root: Path) -> list[str]:
    """Return the words that show the operating system in `root`, its users and host name replaced by the seal's own."""
    words: list[str] = []
    for name in _SYSTEM_FOLDERS:
        path = root / name
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), f"/{name}"]
        elif path.is_dir():
            words += ["--ro-bind", str(path), f"/{name}"]
    for file in sorted(ETC.iterdir()):
        if (root / "etc" / file.name).is_file():
            words += ["--ro-bind", str(file), f"/etc/{file.name}"]
    return words


def _host(folder: Path, wanted: Sequence[PurePosixPath]) -> list[str]:
    """Return the words that show `folder` of the host, opened up so that the `wanted` paths below it can be made."""
    words: list[str] = []
    depth = len(folder.parts)
    heads = {path.parts[depth] for path in wanted}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        below = [path for path in wanted if path.parts[depth] == entry.name and len(path.parts) > depth + 1]
        if entry.name in heads and entry.is_dir() and below and not all(Path(path).is_dir() for path in below):
            words += ["--dir", entry.path, *_host(Path(entry.path), below)]
        elif entry.name in heads and entry.is_symlink():
            continue
        elif entry.is_symlink():
            words += ["--symlink", os.readlink(entry.path), entry.path]
        else:
            words += ["--dev-bind-try", entry.path, entry.path]
    return words


def _parents(binds: Sequence[Bind]) -> list[str]:
    """Return the words that make the folders above the binds which the host does not have, readable by everybody."""
    folders = {folder for bind in binds for folder in PurePosixPath(bind.destination).parents}
    return [word for folder in sorted(folders) if not Path(folder).is_dir() for word in ("--dir", str(folder))]


def _refuse_unseen(seal: Seal, binds: Sequence[Bind]) -> None:
    for bind in binds:
        if os.path.realpath(bind.destination) != os.path.realpath(bind.source):
            raise HostError(
                f"this host cannot show {bind.source} at {bind.destination}: {seal.reason}",
                hint="install bubblewrap (apt-get install bubblewrap) or allow user namespaces",
            )
