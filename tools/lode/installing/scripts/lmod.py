"""`.lode/modulefile.lua`: the same changes for Lmod, which undoes them itself.

A site links or copies the file to `<modulepath>/<stack>/<release>.lua`.
"""

from __future__ import annotations

from lode.installing.scripts.change import Activation, Part

_SCRIPT = r"""-- @TITLE@: link this file as <modulepath>/@STACK@/@RELEASE@.lua. Written by Lode.

help([[@TITLE@, a software stack made by Lode.]])
whatis("Name: " .. @STACK_Q@)
whatis("Version: " .. @RELEASE_Q@)
whatis("Description: " .. @TITLE_Q@)

family("lode")  -- one stack at a time: loading another takes this one out

local prefix = @FINAL@
if not isFile(pathJoin(prefix, ".lode/prefix.json")) then
    prefix = myFileName():match("^(.*)/%.lode/modulefile%.lua$") or prefix
end

@CHANGES@
"""


def render(activation: Activation) -> str:
    """Return the text of `.lode/modulefile.lua`."""
    lines: list[str] = []
    for change in activation.changes:
        if not change.prepend:
            lines.append(f'setenv("{change.name}", {_part(change.parts[0])})')
            continue
        lines += [f'prepend_path("{change.name}", {_part(part)})' for part in reversed(change.parts)]
        if change.open_end:
            lines.append(f'append_path("{change.name}", "")')
    return (
        _SCRIPT.replace("@CHANGES@", "\n".join(lines))
        .replace("@FINAL@", _quoted(activation.final_path))
        .replace("@STACK_Q@", _quoted(activation.stack))
        .replace("@RELEASE_Q@", _quoted(activation.release))
        .replace("@TITLE_Q@", _quoted(activation.title))
        .replace("@STACK@", activation.stack)
        .replace("@RELEASE@", activation.release)
        .replace("@TITLE@", activation.title)
    )


def _part(part: Part) -> str:
    if not part.below:
        return _quoted(part.text)
    return f"prefix .. {_quoted(f'/{part.text}')}" if part.text else "prefix"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
