# mini 2026.11 for debian12-x86_64, group simulation
#
#     . setup.sh            in sh, dash, bash, zsh or ksh; `lode_deactivate` puts everything back
#
# Changes only: CMAKE_PREFIX_PATH LODE_PREFIX LODE_RELEASE LODE_STACK LODE_TARGET MANPATH NEST_DATA NEST_MODE NEST_ROOT NEST_SEARCH PATH PKG_CONFIG_PATH ROOT_INCLUDE_PATH SITE_PATH.
# Set LODE_PREFIX_OVERRIDE to the folder of this file where the shell cannot tell it. Written by Lode.

_lode_locate() {
    # Sets _lode_found: the final path, or where nothing is there the folder of this file.
    _lode_found=${LODE_PREFIX_OVERRIDE-}
    if [ -n "$_lode_found" ]; then return 0; fi
    _lode_found=/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64
    if [ -f "$_lode_found/.lode/prefix.json" ]; then return 0; fi
    _lode_file=
    if [ -n "${BASH_VERSION-}" ]; then
        eval '_lode_file=${BASH_SOURCE-}'
    elif [ -n "${ZSH_VERSION-}" ]; then
        eval '_lode_file=${(%):-%x}'
    else
        # A plain sh does not say which file it reads, but has it open.
        for _lode_try in /proc/$$/fd/*; do
            _lode_try=$(command -p readlink -- "$_lode_try" 2>/dev/null) || _lode_try=
            if [ -f "${_lode_try%/*}/.lode/prefix.json" ]; then _lode_file=$_lode_try; fi
        done
    fi
    _lode_found=$(command -p readlink -f -- "$_lode_file" 2>/dev/null && echo x) || _lode_found=
    _lode_found=${_lode_found%?x}
    _lode_found=${_lode_found%/*}
}

_lode_check() {
    # Fails with a message when the tree cannot be activated from here.
    if [ -z "$_lode_found" ] || [ ! -f "$_lode_found/.lode/prefix.json" ]; then
        printf 'lode: %s is not at %s; set LODE_PREFIX_OVERRIDE to the folder it is in\n' 'mini 2026.11 for debian12-x86_64, group simulation' /cvmfs/lode.example.org/mini/2026.11/debian12-x86_64 >&2
        return 1
    fi
    case $_lode_found in *:*)
        printf 'lode: the folder %s has a colon in its name, which search paths cannot hold\n' "$_lode_found" >&2
        return 1 ;;
    esac
}

_lode_keep() {
    # $1: a variable whose value, and whether it is set and exported, is remembered.
    eval "_lode_old_$1=\"\${$1-}\" _lode_had_$1=\"\${$1+set}\" _lode_added_$1="
    case " $_lode_exported" in *" $1 "*)
        eval "if [ -n \"\$_lode_had_$1\" ]; then _lode_had_$1=exported; fi" ;;
    esac
}

_lode_set() {
    # $1: a variable that gets the value $2.
    _lode_keep "$1"
    eval "$1=\"\$2\" _lode_new_$1=\"\$2\"; export $1"
}

_lode_prepend() {
    # $1: a variable that gets the paths $2 in front; $3 goes behind when there is nothing there.
    _lode_keep "$1"
    eval "_lode_value=\"\${$1-}\""
    case "$_lode_value:" in
    "$2":*) ;;
    :) _lode_value=$2$3 ;;
    *) _lode_value=$2:$_lode_value ;;
    esac
    eval "$1=\"\$_lode_value\" _lode_new_$1=\"\$_lode_value\" _lode_added_$1=\"\$2\"; export $1"
}

_lode_activate() {
    _lode_locate
    _lode_check || return 1
    if [ -n "${ZSH_VERSION-}" ]; then emulate -L sh; fi
    if command -v lode_deactivate >/dev/null 2>&1; then
        if [ "${_lode_root-}" = "$_lode_found" ] && [ "${LODE_PREFIX-}" = "$_lode_found" ]; then return 0; fi
        lode_deactivate
    elif [ -n "${LODE_PREFIX-}" ] && [ "$LODE_PREFIX" != "$_lode_found" ]; then
        printf 'lode: %s is active in the program that started this shell; leave it before you enter %s\n' \
            "$LODE_PREFIX" 'mini 2026.11 for debian12-x86_64, group simulation' >&2
        return 1
    fi
    if [ "$_lode_found" != /cvmfs/lode.example.org/mini/2026.11/debian12-x86_64 ] && [ -z "${LODE_PREFIX_OVERRIDE-}" ]; then
        printf 'lode: note: %s lies at %s but is made for %s; `lode shell` shows it there\n' \
            'mini 2026.11 for debian12-x86_64, group simulation' "$_lode_found" /cvmfs/lode.example.org/mini/2026.11/debian12-x86_64 >&2
    fi
    _lode_root=$_lode_found
    _lode_exported=$(command -p awk \
        'BEGIN { for (i = 1; i < ARGC; i++) if (ARGV[i] in ENVIRON) printf "%s ", ARGV[i] }' CMAKE_PREFIX_PATH LODE_PREFIX LODE_RELEASE LODE_STACK LODE_TARGET MANPATH NEST_DATA NEST_MODE NEST_ROOT NEST_SEARCH PATH PKG_CONFIG_PATH ROOT_INCLUDE_PATH SITE_PATH)

    _lode_prepend CMAKE_PREFIX_PATH "$_lode_root" ''
    _lode_set LODE_PREFIX "$_lode_root"
    _lode_set LODE_RELEASE '2026.11'
    _lode_set LODE_STACK 'mini'
    _lode_set LODE_TARGET 'debian12-x86_64'
    _lode_prepend MANPATH "$_lode_root"/share/man :
    _lode_set NEST_DATA "$_lode_root"'/share/nest data'
    _lode_set NEST_MODE 'it'\''s "fast" \ $HOME `id` !x *'
    _lode_set NEST_ROOT "$_lode_root"
    _lode_prepend NEST_SEARCH "$_lode_root"/share/nest ''
    _lode_prepend PATH "$_lode_root"/bin ''
    _lode_prepend PKG_CONFIG_PATH "$_lode_root"/lib/pkgconfig:"$_lode_root"/share/pkgconfig ''
    _lode_prepend ROOT_INCLUDE_PATH "$_lode_root"/include ''
    _lode_prepend SITE_PATH '/etc/site' ''

    _lode_restore() {
        # $1: a variable that gets back what it had; if it was changed since, only what was added is taken out.
        eval "_lode_value=\"\${$1-}\" _lode_had=\"\$_lode_had_$1\" _lode_old=\"\$_lode_old_$1\""
        eval "_lode_new=\"\$_lode_new_$1\" _lode_added=\"\$_lode_added_$1\""
        if [ "$_lode_value" != "$_lode_new" ]; then
            if [ -z "$_lode_added" ]; then return 0; fi
            _lode_value=:$_lode_value:
            case $_lode_value in
            *":$_lode_added:"*) ;;
            *) return 0 ;;
            esac
            _lode_value=${_lode_value%%":$_lode_added:"*}:${_lode_value#*":$_lode_added:"}
            _lode_value=${_lode_value#:}
            _lode_value=${_lode_value%:}
            if [ -n "$_lode_had$_lode_value" ]; then eval "$1=\"\$_lode_value\""; else unset "$1"; fi
            return 0
        fi
        case $_lode_had in
        exported) eval "$1=\"\$_lode_old\"" ;;
        set)
            if [ -n "${ZSH_VERSION-}" ]; then
                eval "$1=\"\$_lode_old\"; typeset -g +x $1"
            else
                unset "$1"
                eval "$1=\"\$_lode_old\""
            fi ;;
        *) unset "$1" ;;
        esac
    }

    lode_deactivate() {
        if [ -n "${ZSH_VERSION-}" ]; then emulate -L sh; fi
        for _lode_name in CMAKE_PREFIX_PATH LODE_PREFIX LODE_RELEASE LODE_STACK LODE_TARGET MANPATH NEST_DATA NEST_MODE NEST_ROOT NEST_SEARCH PATH PKG_CONFIG_PATH ROOT_INCLUDE_PATH SITE_PATH; do
            _lode_restore "$_lode_name"
            unset "_lode_old_$_lode_name" "_lode_had_$_lode_name" "_lode_new_$_lode_name" "_lode_added_$_lode_name"
        done
        hash -r 2>/dev/null || :
        unset -f lode_deactivate _lode_restore
        unset _lode_root _lode_name _lode_value _lode_had _lode_old _lode_new _lode_added
    }
    hash -r 2>/dev/null || :
}

_lode_forget() {
    unset -f _lode_locate _lode_check _lode_keep _lode_set _lode_prepend _lode_activate _lode_forget
    unset _lode_found _lode_file _lode_try _lode_exported _lode_value
}

if _lode_activate; then
    _lode_forget
else
    _lode_forget
    return 1
fi
