# mini 2026.11 for debian12-x86_64, group simulation
#
#     source setup.fish     in fish; `lode_deactivate` puts everything back
#
# Changes only: CMAKE_PREFIX_PATH LODE_PREFIX LODE_RELEASE LODE_STACK LODE_TARGET MANPATH NEST_DATA NEST_MODE NEST_ROOT NEST_SEARCH PATH PKG_CONFIG_PATH ROOT_INCLUDE_PATH SITE_PATH. Written by Lode.

function _lode_locate --argument-names file
    # Sets _lode_found: the final path, or where nothing is there the folder of this file.
    set -g _lode_found "$LODE_PREFIX_OVERRIDE"
    test -n "$_lode_found"; and return
    set -g _lode_found '/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64'
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
        echo 'lode: ''mini 2026.11 for debian12-x86_64, group simulation'' is not at ''/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64''; set LODE_PREFIX_OVERRIDE to the folder it is in' >&2
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
            'leave it before you enter ''mini 2026.11 for debian12-x86_64, group simulation' >&2
        return 1
    end
    if test "$_lode_found" != '/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64'; and test -z "$LODE_PREFIX_OVERRIDE"
        echo 'lode: note: ''mini 2026.11 for debian12-x86_64, group simulation'" lies at $_lode_found but is made for "'/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64''; `lode shell` shows it there' >&2
    end
    set -g _lode_root $_lode_found
    _lode_keep CMAKE_PREFIX_PATH
    set -g _lode_added_CMAKE_PREFIX_PATH "$_lode_root"
    if test -n "$CMAKE_PREFIX_PATH"
        set -gx CMAKE_PREFIX_PATH $_lode_added_CMAKE_PREFIX_PATH $CMAKE_PREFIX_PATH
    else
        set -gx CMAKE_PREFIX_PATH $_lode_added_CMAKE_PREFIX_PATH
    end
    set -g _lode_new_CMAKE_PREFIX_PATH $CMAKE_PREFIX_PATH
    _lode_keep LODE_PREFIX
    set -gx LODE_PREFIX "$_lode_root"
    set -g _lode_added_LODE_PREFIX
    set -g _lode_new_LODE_PREFIX $LODE_PREFIX
    _lode_keep LODE_RELEASE
    set -gx LODE_RELEASE '2026.11'
    set -g _lode_added_LODE_RELEASE
    set -g _lode_new_LODE_RELEASE $LODE_RELEASE
    _lode_keep LODE_STACK
    set -gx LODE_STACK 'mini'
    set -g _lode_added_LODE_STACK
    set -g _lode_new_LODE_STACK $LODE_STACK
    _lode_keep LODE_TARGET
    set -gx LODE_TARGET 'debian12-x86_64'
    set -g _lode_added_LODE_TARGET
    set -g _lode_new_LODE_TARGET $LODE_TARGET
    _lode_keep MANPATH
    set -g _lode_added_MANPATH "$_lode_root"'/share/man'
    if test -n "$MANPATH"
        set -gx MANPATH $_lode_added_MANPATH $MANPATH
    else
        set -gx MANPATH $_lode_added_MANPATH ''
    end
    set -g _lode_new_MANPATH $MANPATH
    _lode_keep NEST_DATA
    set -gx NEST_DATA "$_lode_root"'/share/nest data'
    set -g _lode_added_NEST_DATA
    set -g _lode_new_NEST_DATA $NEST_DATA
    _lode_keep NEST_MODE
    set -gx NEST_MODE 'it\'s "fast" \\ $HOME `id` !x *'
    set -g _lode_added_NEST_MODE
    set -g _lode_new_NEST_MODE $NEST_MODE
    _lode_keep NEST_ROOT
    set -gx NEST_ROOT "$_lode_root"
    set -g _lode_added_NEST_ROOT
    set -g _lode_new_NEST_ROOT $NEST_ROOT
    _lode_keep NEST_SEARCH
    set -g _lode_added_NEST_SEARCH "$_lode_root"'/share/nest'
    if test -n "$NEST_SEARCH"
        set -gx NEST_SEARCH "$_lode_added_NEST_SEARCH:$NEST_SEARCH"
    else
        set -gx NEST_SEARCH $_lode_added_NEST_SEARCH
    end
    set -g _lode_new_NEST_SEARCH $NEST_SEARCH
    _lode_keep PATH
    set -g _lode_added_PATH "$_lode_root"'/bin'
    if test -n "$PATH"
        set -gx PATH $_lode_added_PATH $PATH
    else
        set -gx PATH $_lode_added_PATH
    end
    set -g _lode_new_PATH $PATH
    _lode_keep PKG_CONFIG_PATH
    set -g _lode_added_PKG_CONFIG_PATH "$_lode_root"'/lib/pkgconfig' "$_lode_root"'/share/pkgconfig'
    if test -n "$PKG_CONFIG_PATH"
        set -gx PKG_CONFIG_PATH $_lode_added_PKG_CONFIG_PATH $PKG_CONFIG_PATH
    else
        set -gx PKG_CONFIG_PATH $_lode_added_PKG_CONFIG_PATH
    end
    set -g _lode_new_PKG_CONFIG_PATH $PKG_CONFIG_PATH
    _lode_keep ROOT_INCLUDE_PATH
    set -g _lode_added_ROOT_INCLUDE_PATH "$_lode_root"'/include'
    if test -n "$ROOT_INCLUDE_PATH"
        set -gx ROOT_INCLUDE_PATH $_lode_added_ROOT_INCLUDE_PATH $ROOT_INCLUDE_PATH
    else
        set -gx ROOT_INCLUDE_PATH $_lode_added_ROOT_INCLUDE_PATH
    end
    set -g _lode_new_ROOT_INCLUDE_PATH $ROOT_INCLUDE_PATH
    _lode_keep SITE_PATH
    set -g _lode_added_SITE_PATH '/etc/site'
    if test -n "$SITE_PATH"
        set -gx SITE_PATH $_lode_added_SITE_PATH $SITE_PATH
    else
        set -gx SITE_PATH $_lode_added_SITE_PATH
    end
    set -g _lode_new_SITE_PATH $SITE_PATH

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

    function lode_deactivate --description 'Leave ''mini 2026.11 for debian12-x86_64, group simulation'
        for name in CMAKE_PREFIX_PATH LODE_PREFIX LODE_RELEASE LODE_STACK LODE_TARGET MANPATH NEST_DATA NEST_MODE NEST_ROOT NEST_SEARCH PATH PKG_CONFIG_PATH ROOT_INCLUDE_PATH SITE_PATH
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
