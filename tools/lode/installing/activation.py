"""What activation of a prefix changes in an environment, and the scripts that do it and undo it in every shell.

Nothing is set that makes programs of the host load the prefix's libraries or modules: never LD_LIBRARY_PATH, never
PYTHONPATH or PYTHONHOME. Binaries find their libraries by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from lode.definitions.recipe import Environment
from lode.errors import Fault, LockError
from lode.installing.scripts import csh, fish, interactive, lmod, posix
from lode.installing.scripts.change import Activation, Change, Part
from lode.installing.select import selected
from lode.locking.graph import Lock
from lode.tree import FileTree

# Variables that make programs which are not of the prefix load what is in it, or that Lode itself sets.
FORBIDDEN = frozenset(
    {"LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "PYTHONPATH", "PYTHONHOME", "HOME", "USER", "SHELL"}
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def activation(lock: Lock, target: str, group: str | None, final_path: str) -> Activation:
    """Return what the prefix's activation changes: the search paths, LODE_*, and the environments of its recipes.

    LockError, a fault for each, for a variable that may not be set, a value that no script can hold, a path out of the
    prefix, and two packages that want one variable differently.
    """
    lists: dict[str, list[Part]] = {
        "PATH": [Part(text="bin", below=True)],
        "MANPATH": [Part(text="share/man", below=True)],
        "CMAKE_PREFIX_PATH": [Part(text="", below=True)],
        "PKG_CONFIG_PATH": [Part(text="lib/pkgconfig", below=True), Part(text="share/pkgconfig", below=True)],
    }
    values: dict[str, tuple[str, Part]] = {
        "LODE_PREFIX": ("Lode", Part(text="", below=True)),
        "LODE_STACK": ("Lode", Part(text=lock.stack, below=False)),
        "LODE_RELEASE": ("Lode", Part(text=lock.release, below=False)),
        "LODE_TARGET": ("Lode", Part(text=target, below=False)),
    }
    faults: list[Fault] = []
    for node in selected(lock, target, group):
        for name, part, prepend in _asked(node.environment):
            fault = _fault(name, part, prepend)
            if fault:
                faults.append(Fault(message=f"the environment of {node.package} {fault}", hint="correct its recipe"))
            elif prepend and name not in values:
                parts = lists.setdefault(name, [])
                parts.extend([part] if part not in parts else [])
            elif name in lists or values.setdefault(name, (node.package, part))[1] != part:
                other = "the list of search paths" if name in lists else values[name][0]
                faults.append(
                    Fault(
                        message=f"{node.package} and {other} want {name} differently", hint="correct one of the recipes"
                    )
                )
    if faults:
        raise LockError.of(faults)
    changes = [
        Change(name=name, parts=tuple(parts), prepend=True, open_end=name == "MANPATH") for name, parts in lists.items()
    ]
    changes += [Change(name=name, parts=(part,), prepend=False) for name, (_, part) in values.items()]
    return Activation(
        stack=lock.stack,
        release=lock.release,
        target=target,
        group=group,
        final_path=final_path,
        changes=tuple(sorted(changes, key=lambda change: change.name)),
    )


def activated(activation: Activation, prefix: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` as the scripts would leave it, with the prefix at the absolute path `prefix`."""
    result = dict(environ)
    for change in activation.changes:
        value = ":".join(_placed(part, prefix) for part in change.parts)
        old = result.get(change.name, "")
        if change.prepend and f"{old}:".startswith(f"{value}:"):
            value = old
        elif change.prepend:
            value = f"{value}:{old}" if old else value + ":" * change.open_end
        result[change.name] = value
    return result


def scripts(lock: Lock, target: str, group: str | None, final_path: str) -> FileTree:
    """Return the files of a prefix that activate it, relative to its root."""
    found = activation(lock, target, group, final_path)
    texts = {
        "setup.sh": posix.render(found),
        "setup.csh": csh.render(found),
        "setup.fish": fish.render(found),
        ".lode/modulefile.lua": lmod.render(found),
        csh.DEACTIVATE: csh.render_deactivation(found),
        **interactive.render(found),
    }
    return FileTree(files={PurePosixPath(path): text.encode() for path, text in texts.items()})


def _asked(environment: Environment) -> Iterator[tuple[str, Part, bool]]:
    for name, path in environment.prepend:
        yield name, Part(text=path.rstrip("/"), below=not path.startswith("/")), True
    for name, path in environment.set:
        yield name, Part(text=path.rstrip("/"), below=not path.startswith("/")), False
    for name, text in environment.value:
        yield name, Part(text=text, below=False), False


def _fault(name: str, part: Part, prepend: bool) -> str | None:
    if not _NAME.match(name):
        return f"names a variable {name!r}, which no shell can hold"
    if name in FORBIDDEN or name.startswith(("LODE_", "_lode_", "_LODE_")):
        return f"sets {name}, which is not a recipe's to set"
    if not part.text.isprintable():
        return f"gives {name} the value {part.text!r}, which has control characters"
    if part.below and ".." in PurePosixPath(part.text).parts:
        return f"gives {name} the path {part.text}, which leads out of the prefix"
    if prepend and ":" in part.text:
        return f"puts the path {part.text} in front of {name}, which is a list with colons between its paths"
    return None


def _placed(part: Part, prefix: str) -> str:
    return (f"{prefix}/{part.text}" if part.text else prefix) if part.below else part.text
