"""The repository that a new experiment starts from: a collection with one stack, one C++ recipe, a test and CI."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2

from lode import process, tree
from lode.definitions.language import NAME
from lode.definitions.target import Target
from lode.errors import Fault, HostError, UsageError
from lode.tree import FileTree

_TEMPLATES = Path(__file__).with_name("templates") / "experiment"
UNKNOWN = ("OWNER/lode", "COMMIT")  # what CI says until somebody fills it in
_REMOTE = re.compile(r"(?:https://|ssh://git@|git@)github\.com[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?\Z")
_YEAR = datetime.timedelta(days=365)


def experiment(
    name: str,
    *,
    release: str,
    date: str,
    target: Target,
    keys: Sequence[tuple[str, bytes]] = (),
    lode: tuple[str, str] | None = None,
) -> FileTree:
    """Return the files of a repository for the experiment `name`; UsageError unless it can name a stack.

    `release` is the stack's first (`2026.11`), `date` its day in ISO form; `keys` are the public keys, by name and in
    PEM, whose signatures its trust policy accepts from the start, for a year. `lode` is where CI finds Lode:
    `OWNER/NAME` on GitHub and a commit; None leaves both for the user to say.
    """
    if not NAME.fullmatch(name):
        hint = "lower-case letters, digits and dashes, beginning with a letter: --experiment dance"
        raise UsageError(f"an experiment cannot be called {name!r} here", hint=hint)
    stack, recipe = f"stacks/{name}/{release}", f"recipes/{name}-pulses"
    templates = {
        "collection.yaml": "collection.yaml.j2",
        "README.md": "README.md.j2",
        "trust.yaml": "trust.yaml.j2",
        f"{stack}/stack.yaml": "stack.yaml.j2",
        f"{recipe}/recipe.yaml": "recipe.yaml.j2",
        f"{recipe}/src/CMakeLists.txt": "CMakeLists.txt.j2",
        f"{recipe}/src/pulses.cpp": "pulses.cpp.j2",
        ".github/workflows/lode.yml": "lode.yml.j2",
    }
    words = {
        "name": name,
        "release": release,
        "date": date,
        "expires": (datetime.date.fromisoformat(date) + _YEAR).isoformat(),
        "keys": [(key, pem.decode().strip().split("\n")) for key, pem in keys],
        "target": target.name,
        "lode": lode[0] if lode else UNKNOWN[0],
        "commit": lode[1] if lode else UNKNOWN[1],
    }
    return FileTree(files={PurePosixPath(path): _rendered(file, words) for path, file in templates.items()})


def published(checkout: Path | None) -> tuple[str, str] | None:
    """Return the repository on GitHub, `OWNER/NAME`, and the commit that `checkout` is of; None when it is of none."""
    if checkout is None:
        return None
    try:
        said = [
            process.run(["git", "-C", str(checkout), *words])
            for words in (("remote", "get-url", "origin"), ("rev-parse", "HEAD"))
        ]
    except HostError:
        return None
    match = _REMOTE.match(said[0].stdout.strip())
    commit = said[1].stdout.strip()
    return (match[1], commit) if match and re.fullmatch("[0-9a-f]{40}", commit) else None


def create(files: FileTree, folder: Path) -> None:
    """Write `files` below `folder`; UsageError naming every file that is already there, before any is written."""
    there = [path for path in sorted(files.files) if (folder / path).exists() or (folder / path).is_symlink()]
    if there:
        hint = "choose another folder, or move them away"
        raise UsageError.of([Fault(message=f"{folder / path} is already there", hint=hint) for path in there])
    tree.write(files, folder)


def _rendered(template: str, words: Mapping[str, Any]) -> bytes:
    environment = jinja2.Environment(  # plain text of names checked above, no markup
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,  # noqa: S701
    )
    return environment.get_template(template).render(words).encode()
