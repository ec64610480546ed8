r"""`setup.csh` and `.lode/deactivate.csh`: activation in tcsh.

Every value is written `$name:q`, which alone keeps blanks, quotes, globs and line breaks as they are; double quotes do
not. The C shell has no functions: deactivation is a script of its own, called by an alias.
"""

from __future__ import annotations

from lode.installing.scripts.change import Activation, Change, Part

DEACTIVATE = ".lode/deactivate.csh"

_SCRIPT = r"""# @TITLE@
#
#     source setup.csh      in tcsh; `lode_deactivate` puts everything back
#
# Changes only: @NAMES@.
# Set LODE_PREFIX_OVERRIDE to the folder of this file where it cannot be found. Written by Lode.

set _lode_found = @FINAL@
if ( $?LODE_PREFIX_OVERRIDE ) then
    set _lode_found = $LODE_PREFIX_OVERRIDE:q
else if ( ! -f $_lode_found:q/.lode/prefix.json ) then
    # The shell does not say which file it reads, but has it open.
    foreach _lode_file ( "`/usr/bin/find /proc/$$/fd -lname '*/setup.csh' -printf '%l\n'`" )
        if ( -f $_lode_file:h:q/.lode/prefix.json ) set _lode_found = $_lode_file:h:q
    end
    unset _lode_file
endif

set _lode_go = 1
if ( ! -f $_lode_found:q/.lode/prefix.json ) then
    echo 'lode: '@TITLE_Q@' is not at '@FINAL@'; set LODE_PREFIX_OVERRIDE to the folder it is in' > /dev/stderr
    set _lode_go = 0
else if ( $?_lode_root ) then
    if ( $_lode_root:q == $_lode_found:q ) then
        set _lode_go = 0
    else
        source $_lode_root:q/.lode/deactivate.csh
    endif
else if ( $?LODE_PREFIX ) then
    if ( $LODE_PREFIX:q != $_lode_found:q ) then
        echo 'lode: '$LODE_PREFIX:q' is active in the program that started this shell;' \
            'leave it before you enter '@TITLE_Q@ > /dev/stderr
        set _lode_go = 0
    endif
endif

if ( $_lode_go ) then
    if ( $_lode_found:q != @FINAL@ && ! $?LODE_PREFIX_OVERRIDE ) then
        echo 'lode: note: '@TITLE_Q@' lies at '$_lode_found:q' but is made for '@FINAL@';' \
            '`lode shell` shows it there' > /dev/stderr
    endif
    set _lode_root = $_lode_found:q
@CHANGES@
    alias lode_deactivate 'source $_lode_root:q/.lode/deactivate.csh'
    rehash
endif
unset _lode_go _lode_found
"""

_DEACTIVATE = r"""# Takes @TITLE@ out of a tcsh: the alias lode_deactivate of setup.csh. Written by Lode.
@CHANGES@
unalias lode_deactivate
unset _lode_root
rehash
"""

_RESTORE = r"""if ( $?@NAME@ ) then
    if ( $@NAME@:q == $_lode_new_@NAME@:q ) then
        if ( $?_lode_old_@NAME@ ) then
            setenv @NAME@ $_lode_old_@NAME@:q
        else
            unsetenv @NAME@
        endif
@CHANGED@    endif
endif
unset _lode_old_@NAME@ _lode_new_@NAME@ _lode_added_@NAME@"""

# The child shell gets all in variables: a command in backquotes can hold neither `$` nor blanks safely.
_CHANGED = r"""    else
        setenv _LODE_ADDED $_lode_added_@NAME@:q
        setenv _LODE_VALUE $@NAME@:q
        setenv _LODE_DO '@DO@'
        setenv @NAME@ "`/usr/bin/printenv _LODE_DO | /bin/sh`"
        unsetenv _LODE_ADDED
        unsetenv _LODE_VALUE
        unsetenv _LODE_DO
"""
_DO = (
    'v=:$_LODE_VALUE:; case $v in *":$_LODE_ADDED:"*) v=${v%%":$_LODE_ADDED:"*}:${v#*":$_LODE_ADDED:"} ;; esac; '
    'v=${v#:}; printf "%s\\n" "${v%:}"'
)


def render(activation: Activation) -> str:
    """Return the text of `setup.csh`."""
    changes = "\n".join(_change(change) for change in activation.changes)
    return _filled(_SCRIPT.replace("@CHANGES@", changes), activation)


def render_deactivation(activation: Activation) -> str:
    """Return the text of `.lode/deactivate.csh`."""
    restored = [
        _RESTORE.replace("@CHANGED@", _CHANGED if change.prepend else "")
        .replace("@DO@", _DO)
        .replace("@NAME@", change.name)
        for change in activation.changes
    ]
    return _filled(_DEACTIVATE.replace("@CHANGES@", "\n".join(restored)), activation)


def _filled(text: str, activation: Activation) -> str:
    return (
        text.replace("@NAMES@", " ".join(change.name for change in activation.changes))
        .replace("@FINAL@", _quoted(activation.final_path))
        .replace("@TITLE_Q@", _quoted(activation.title))
        .replace("@TITLE@", activation.title)
    )


def _change(change: Change) -> str:
    name, value = change.name, ":".join(_part(part) for part in change.parts)
    lines = [  # an `if` on one line would look its command's variables up whatever the condition
        f"if ( $?{name} ) then",
        f"    set _lode_old_{name} = ${name}:q",
        "endif",
        f"set _lode_new_{name} = {value}",
    ]
    if change.prepend:
        lines += [
            f"set _lode_added_{name} = $_lode_new_{name}:q",
            "set _lode_rest = ':'" if change.open_end else "set _lode_rest = ''",
            f"if ( $?{name} ) then",
            f"    if ( $%{name} ) set _lode_rest = :${name}:q",
            "endif",
            f"set _lode_new_{name} = ${{_lode_new_{name}:q}}${{_lode_rest:q}}",
            "unset _lode_rest",
        ]
    lines.append(f"setenv {name} $_lode_new_{name}:q")
    return "\n".join(f"    {line}" for line in lines)


def _part(part: Part) -> str:
    if not part.below:
        return _quoted(part.text)
    return "${_lode_root:q}" + (_quoted(f"/{part.text}") if part.text else "")


def _quoted(text: str) -> str:
    """Return `text` in single quotes; `!` recalls history even there."""
    return "'" + text.replace("'", "'\\''").replace("!", "\\!") + "'"
