"""Starting a shell or a command inside a prefix: what to run, with which environment; starting it is the caller's.

The prefix is seen at its final path, by a view that only the started program has. An interactive bash, zsh or fish
reads the user's own start files first and is then activated by a file of the prefix, so that nothing of the user's is
edited and nothing is left behind.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lode.building.seal import Bind, Seal, viewed
from lode.errors import HostError, UsageError
from lode.installing import prefix as prefixes
from lode.installing.activation import activated, activation
from lode.installing.prefix import Prefix
from lode.installing.scripts import interactive
from lode.locking.graph import Lock

_FALLBACK = "/bin/sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A program to be executed in place of the caller: its absolute path, its words and its whole environment."""

    program: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]


def in_place(prefix: Prefix) -> bool:
    """Return whether programs of this host see the prefix at its final path without further ado."""
    there = Path(prefix.final_path) / prefixes.RECORD
    try:
        return there.read_bytes() == (prefix.root / prefixes.RECORD).read_bytes()
    except OSError:
        return False


def start(
    prefix: Prefix,
    lock: Lock,
    *,
    group: str | None,
    command: Sequence[str],
    environ: Mapping[str, str],
    terminal: bool,
    seal: Seal,
    cwd: Path,
) -> Start:
    """Return what to execute for `command` inside the prefix, or without one for the user's shell.

    `environ` is the user's. `group` narrows the environment, not what is there. UsageError when another stack is active
    or the command's program is nowhere; HostError when the prefix cannot be shown at its final path.
    """
    _refuse_other(prefix, environ)
    changes = activation(lock, prefix.target, group or prefix.group, prefix.final_path)
    env = activated(changes, prefix.final_path, environ)
    if command:
        argv = list(command)
        _refuse_unknown(argv[0], env.get("PATH", ""), prefix, cwd)
    else:
        shell = _shell(environ)
        opened = interactive.shell(shell, prefix.final_path, environ, terminal=terminal)
        argv = list(opened.argv)
        if opened.environ is not None:  # it activates itself, after the user's start files
            env = {**environ, **opened.environ}
    search: Mapping[str, str] = env
    if not in_place(prefix):
        binds = [Bind(source=prefix.root, destination=prefix.final_path)]
        argv = viewed(seal, argv, binds=binds, cwd=str(cwd))
        search = environ  # of the program that makes the view, outside of it
    program = shutil.which(argv[0], path=search.get("PATH", os.defpath))
    if program is None:
        raise HostError(f"the program {argv[0]} is not on this machine")
    return Start(program=program, argv=tuple(argv), environ=env)


def _refuse_other(prefix: Prefix, environ: Mapping[str, str]) -> None:
    active = environ.get("LODE_PREFIX", "")
    if active not in ("", prefix.final_path, str(prefix.root)):
        raise UsageError(
            f"{active} is active here",
            hint="leave it first, with `lode_deactivate` or by ending the shell that it was opened with",
        )


def _refuse_unknown(program: str, path: str, prefix: Prefix, cwd: Path) -> None:
    """Raise UsageError unless `program` will be found in the view, where the prefix lies at its final path."""

    def placed(file: str) -> Path:
        inside = file == prefix.final_path or file.startswith(prefix.final_path + "/")
        return prefix.root / file[len(prefix.final_path) + 1 :] if inside else cwd / file

    folders = [""] if "/" in program else path.split(":")
    for folder in folders:
        file = placed(os.path.join(folder, program))
        if file.is_file() and os.access(file, os.X_OK):
            return
    raise UsageError(
        f"there is no program {program}, neither in {prefix.stack} {prefix.release} nor on this machine",
        hint=f"the stack's programs are in {prefix.root / 'bin'}",
    )


def _shell(environ: Mapping[str, str]) -> str:
    shell = environ.get("SHELL", "")
    return shell if shell.startswith("/") and os.access(shell, os.X_OK) else _FALLBACK
