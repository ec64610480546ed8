"""`setup.fish`: activation in fish 3 and later.

In fish a variable is a list, and one whose name ends in PATH is split and joined at colons by the shell itself; both
kinds keep their elements whatever is in them, as long as they do not pass through a command substitution.
"""

from __future__ import annotations

from lode.installing.scripts.change import Activation, Change, Part

_SCRIPT = r"""# @TITLE@
#
#     source setup.fish     in fish; `lode_deactivate` puts everything back
#
# Changes only: @NAMES@. Written by Lode.

function _lode_locate --argument-names file
    # Sets _lode_found: the final path, or where nothing is there the folder of this file.
    set -g _lode_found "$LODE_PREFIX_OVERRIDE"
    test -n "$_lode_found"; and return
    set -g _lode_found @FINAL@
    test -f "$_lode_found/.lode/prefix.json"; and return
    set -g _lode_found (builtin realpath -- "$file" | string collect)
    set -g _lode_found (string replace -r '/[^/]*$' '' -- "$_lode_found" | string collect)
end

function _lode_keep --argument-names name
    # Remembers the value of a variable, and whether it is set and exported.
    set -g _lode_had_$name ''
    set -g _lode_old_$name
    if set -qg $name
        set -g _lode_had_$name set
        set -qgx $name; and set -g _lode_had_$name exported
        set -g _lode_old_$name $$name
    end
end

function _lode_activate --argument-names file
    _lode_locate $file
    if not test -f "$_lode_found/.lode/prefix.json"
        echo 'lode: '@TITLE_Q@' is not at '@FINAL@'; set LODE_PREFIX_OVERRIDE to the folder it is in' >&2
        return 1
    end
    if string match -q '*:*' -- "$_lode_found"
        echo "lode: the folder $_lode_found has a colon in its name, which search paths cannot hold" >&2
        return 1
    end
    if functions -q lode_deactivate
        test "$_lode_root" = "$_lode_found"; and test "$LODE_PREFIX" = "$_lode_found"; and return 0
        lode_deactivate
    else if test -n "$LODE_PREFIX"; and test "$LODE_PREFIX" != "$_lode_found"
        echo "lode: $LODE_PREFIX is active in the program that started this shell;" \
            'leave it before you enter '@TITLE_Q@ >&2
        return 1
    end
    if test "$_lode_found" != @FINAL@; and test -z "$LODE_PREFIX_OVERRIDE"
        echo 'lode: note: '@TITLE_Q@" lies at $_lode_found but is made for "@FINAL@'; `lode shell` shows it there' >&2
    end
    set -g _lode_root $_lode_found
@CHANGES@

    function _lode_restore --argument-names name
        # Gives back what a variable had; if it was changed since, only what was added is taken out.
        set -l had _lode_had_$name
        set -l old _lode_old_$name
        set -l new _lode_new_$name
        set -l added _lode_added_$name
        if test "$$name" = "$$new"; and test (count $$name) = (count $$new)
            set -eg $name
            switch "$$had"
                case exported
                    set -gx $name $$old
                case set
                    set -gu $name $$old
            end
        else if test (count $$added) -gt 0
            if string match -q '*PATH' -- $name
                for element in $$added
                    set -l at (contains -i -- $element $$name); and set -e "$name"[$at]
                end
            else
                set -l rest (string replace -- "$$added:" '' "$$name" | string collect)
                set -gx $name "$rest"
            end
        end
        set -eg $had $old $new $added
    end

    function lode_deactivate --description 'Leave '@TITLE_Q@
        for name in @NAMES@
            _lode_restore $name
        end
        functions -e _lode_restore lode_deactivate
        set -eg _lode_root
    end
end

_lode_activate (status filename | string collect)
set -l _lode_status $status
functions -e _lode_locate _lode_keep _lode_activate
set -eg _lode_found
test $_lode_status -eq 0
"""


def render(activation: Activation) -> str:
    """Return the text of `setup.fish`."""
    return (
        _SCRIPT.replace("@CHANGES@", "\n".join(_change(change) for change in activation.changes))
        .replace("@NAMES@", " ".join(change.name for change in activation.changes))
        .replace("@FINAL@", quoted(activation.final_path))
        .replace("@TITLE_Q@", quoted(activation.title))
        .replace("@TITLE@", activation.title)
    )


def _change(change: Change) -> str:
    name = change.name
    lines = [f"_lode_keep {name}"]
    if not change.prepend:
        lines += [f"set -gx {name} {_part(change.parts[0])}", f"set -g _lode_added_{name}"]
    elif name.endswith("PATH"):
        end = " ''" if change.open_end else ""
        lines += [
            f"set -g _lode_added_{name} {' '.join(_part(part) for part in change.parts)}",
            f'if test -n "${name}"',
            f"    set -gx {name} $_lode_added_{name} ${name}",
            "else",
            f"    set -gx {name} $_lode_added_{name}{end}",
            "end",
        ]
    else:
        lines += [
            f"set -g _lode_added_{name} {':'.join(_part(part) for part in change.parts)}",
            f'if test -n "${name}"',
            f'    set -gx {name} "$_lode_added_{name}:${name}"',
            "else",
            f"    set -gx {name} $_lode_added_{name}",
            "end",
        ]
    lines.append(f"set -g _lode_new_{name} ${name}")
    return "\n".join(f"    {line}" for line in lines)


def _part(part: Part) -> str:
    if not part.below:
        return quoted(part.text)
    return '"$_lode_root"' + (quoted(f"/{part.text}") if part.text else "")


def quoted(text: str) -> str:
    """Return `text` as one word of fish."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
