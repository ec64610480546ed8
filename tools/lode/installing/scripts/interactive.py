"""How an interactive shell is started inside a prefix: its words, and the start files that lie in the prefix for it.

The user's own start files are read first; the prefix is activated after them, because they often set PATH anew. The
prompt gets a mark, `(dance-mini 2026.11)`. A shell that cannot be told so gets the activated environment as it is.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from lode.installing.scripts import fish
from lode.installing.scripts.change import Activation

_FOLDER = ".lode/shell"

_BASHRC = r"""# Start file of `lode shell` for bash. Written by Lode.
if [ -r ~/.bashrc ]; then . ~/.bashrc; fi
. "${BASH_SOURCE%/.lode/*}/setup.sh"
PS1=@MARK@${PS1-}
"""

# zsh looks for its start files in ZDOTDIR, which is this folder until the last of them has read the user's.
_ZSHENV = r"""# Start file of `lode shell` for zsh. Written by Lode.
_lode_here=$ZDOTDIR
if [[ -n ${LODE_ZDOTDIR-} ]]; then ZDOTDIR=$LODE_ZDOTDIR; else unset ZDOTDIR; fi
if [[ -r ${ZDOTDIR:-$HOME}/.zshenv ]]; then . "${ZDOTDIR:-$HOME}/.zshenv"; fi
LODE_ZDOTDIR=${ZDOTDIR-}
ZDOTDIR=$_lode_here
unset _lode_here
"""
_ZSHRC = r"""# Start file of `lode shell` for zsh. Written by Lode.
_lode_here=$ZDOTDIR
if [[ -n ${LODE_ZDOTDIR-} ]]; then export ZDOTDIR=$LODE_ZDOTDIR; else unset ZDOTDIR; fi
unset LODE_ZDOTDIR
if [[ ${HISTFILE-} == $_lode_here/* ]]; then HISTFILE=${ZDOTDIR:-$HOME}/${HISTFILE##*/}; fi
if [[ -r ${ZDOTDIR:-$HOME}/.zshrc ]]; then . "${ZDOTDIR:-$HOME}/.zshrc"; fi
. "${_lode_here%/.lode/*}/setup.sh"
unset _lode_here
PROMPT=@MARK@${PROMPT-}
"""

_FISHRC = r"""# Start file of `lode shell` for fish. Written by Lode.
source (status dirname)/../../setup.fish
functions -q fish_prompt; and functions -c fish_prompt _lode_prompt
function fish_prompt
    echo -n @MARK@
    functions -q _lode_prompt; and _lode_prompt; or echo -n '> '
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """How a shell is started: its words, and the variables it needs to activate the prefix itself, or None."""

    argv: tuple[str, ...]
    environ: Mapping[str, str] | None


def render(activation: Activation) -> Mapping[str, str]:
    """Return the start files by path relative to the prefix."""
    mark = f"({activation.stack} {activation.release}) "
    return {
        f"{_FOLDER}/bashrc": _BASHRC.replace("@MARK@", shlex.quote(mark)),
        f"{_FOLDER}/init.fish": _FISHRC.replace("@MARK@", fish.quoted(mark)),
        f"{_FOLDER}/zsh/.zshenv": _ZSHENV,
        f"{_FOLDER}/zsh/.zshrc": _ZSHRC.replace("@MARK@", shlex.quote(mark)),
    }


def shell(program: str, prefix: str, environ: Mapping[str, str], *, terminal: bool) -> Shell:
    """Return how to start the shell `program` with the prefix at `prefix`.

    Without a terminal it reads no start files and runs what comes on its standard input.
    """
    folder = f"{prefix}/{_FOLDER}"
    match PurePosixPath(program).name:
        case "bash" if terminal:
            return Shell(argv=(program, "--rcfile", f"{folder}/bashrc", "-i"), environ={})
        case "zsh" if terminal:
            kept = {"LODE_ZDOTDIR": environ["ZDOTDIR"]} if environ.get("ZDOTDIR") else {}
            return Shell(argv=(program, "-i"), environ={**kept, "ZDOTDIR": f"{folder}/zsh"})
        case "fish" if terminal:
            return Shell(argv=(program, "-i", "--init-command", f"source {folder}/init.fish"), environ={})
        case _:
            return Shell(argv=(program,), environ=None)
