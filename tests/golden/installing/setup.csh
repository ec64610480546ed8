# mini 2026.11 for debian12-x86_64, group simulation
#
#     source setup.csh      in tcsh; `lode_deactivate` puts everything back
#
# Changes only: CMAKE_PREFIX_PATH LODE_PREFIX LODE_RELEASE LODE_STACK LODE_TARGET MANPATH NEST_DATA NEST_MODE NEST_ROOT NEST_SEARCH PATH PKG_CONFIG_PATH ROOT_INCLUDE_PATH SITE_PATH.
# Set LODE_PREFIX_OVERRIDE to the folder of this file where it cannot be found. Written by Lode.

set _lode_found = '/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64'
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
    echo 'lode: ''mini 2026.11 for debian12-x86_64, group simulation'' is not at ''/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64''; set LODE_PREFIX_OVERRIDE to the folder it is in' > /dev/stderr
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
            'leave it before you enter ''mini 2026.11 for debian12-x86_64, group simulation' > /dev/stderr
        set _lode_go = 0
    endif
endif

if ( $_lode_go ) then
    if ( $_lode_found:q != '/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64' && ! $?LODE_PREFIX_OVERRIDE ) then
        echo 'lode: note: ''mini 2026.11 for debian12-x86_64, group simulation'' lies at '$_lode_found:q' but is made for ''/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64'';' \
            '`lode shell` shows it there' > /dev/stderr
    endif
    set _lode_root = $_lode_found:q
    if ( $?CMAKE_PREFIX_PATH ) then
        set _lode_old_CMAKE_PREFIX_PATH = $CMAKE_PREFIX_PATH:q
    endif
    set _lode_new_CMAKE_PREFIX_PATH = ${_lode_root:q}
    set _lode_added_CMAKE_PREFIX_PATH = $_lode_new_CMAKE_PREFIX_PATH:q
    set _lode_rest = ''
    if ( $?CMAKE_PREFIX_PATH ) then
        if ( $%CMAKE_PREFIX_PATH ) set _lode_rest = :$CMAKE_PREFIX_PATH:q
    endif
    set _lode_new_CMAKE_PREFIX_PATH = ${_lode_new_CMAKE_PREFIX_PATH:q}${_lode_rest:q}
    unset _lode_rest
    setenv CMAKE_PREFIX_PATH $_lode_new_CMAKE_PREFIX_PATH:q
    if ( $?LODE_PREFIX ) then
        set _lode_old_LODE_PREFIX = $LODE_PREFIX:q
    endif
    set _lode_new_LODE_PREFIX = ${_lode_root:q}
    setenv LODE_PREFIX $_lode_new_LODE_PREFIX:q
    if ( $?LODE_RELEASE ) then
        set _lode_old_LODE_RELEASE = $LODE_RELEASE:q
    endif
    set _lode_new_LODE_RELEASE = '2026.11'
    setenv LODE_RELEASE $_lode_new_LODE_RELEASE:q
    if ( $?LODE_STACK ) then
        set _lode_old_LODE_STACK = $LODE_STACK:q
    endif
    set _lode_new_LODE_STACK = 'mini'
    setenv LODE_STACK $_lode_new_LODE_STACK:q
    if ( $?LODE_TARGET ) then
        set _lode_old_LODE_TARGET = $LODE_TARGET:q
    endif
    set _lode_new_LODE_TARGET = 'debian12-x86_64'
    setenv LODE_TARGET $_lode_new_LODE_TARGET:q
    if ( $?MANPATH ) then
        set _lode_old_MANPATH = $MANPATH:q
    endif
    set _lode_new_MANPATH = ${_lode_root:q}'/share/man'
    set _lode_added_MANPATH = $_lode_new_MANPATH:q
    set _lode_rest = ':'
    if ( $?MANPATH ) then
        if ( $%MANPATH ) set _lode_rest = :$MANPATH:q
    endif
    set _lode_new_MANPATH = ${_lode_new_MANPATH:q}${_lode_rest:q}
    unset _lode_rest
    setenv MANPATH $_lode_new_MANPATH:q
    if ( $?NEST_DATA ) then
        set _lode_old_NEST_DATA = $NEST_DATA:q
    endif
    set _lode_new_NEST_DATA = ${_lode_root:q}'/share/nest data'
    setenv NEST_DATA $_lode_new_NEST_DATA:q
    if ( $?NEST_MODE ) then
        set _lode_old_NEST_MODE = $NEST_MODE:q
    endif
    set _lode_new_NEST_MODE = 'it'\''s "fast" \ $HOME `id` \!x *'
    setenv NEST_MODE $_lode_new_NEST_MODE:q
    if ( $?NEST_ROOT ) then
        set _lode_old_NEST_ROOT = $NEST_ROOT:q
    endif
    set _lode_new_NEST_ROOT = ${_lode_root:q}
    setenv NEST_ROOT $_lode_new_NEST_ROOT:q
    if ( $?NEST_SEARCH ) then
        set _lode_old_NEST_SEARCH = $NEST_SEARCH:q
    endif
    set _lode_new_NEST_SEARCH = ${_lode_root:q}'/share/nest'
    set _lode_added_NEST_SEARCH = $_lode_new_NEST_SEARCH:q
    set _lode_rest = ''
    if ( $?NEST_SEARCH ) then
        if ( $%NEST_SEARCH ) set _lode_rest = :$NEST_SEARCH:q
    endif
    set _lode_new_NEST_SEARCH = ${_lode_new_NEST_SEARCH:q}${_lode_rest:q}
    unset _lode_rest
    setenv NEST_SEARCH $_lode_new_NEST_SEARCH:q
    if ( $?PATH ) then
        set _lode_old_PATH = $PATH:q
    endif
    set _lode_new_PATH = ${_lode_root:q}'/bin'
    set _lode_added_PATH = $_lode_new_PATH:q
    set _lode_rest = ''
    if ( $?PATH ) then
        if ( $%PATH ) set _lode_rest = :$PATH:q
    endif
    set _lode_new_PATH = ${_lode_new_PATH:q}${_lode_rest:q}
    unset _lode_rest
    setenv PATH $_lode_new_PATH:q
    if ( $?PKG_CONFIG_PATH ) then
        set _lode_old_PKG_CONFIG_PATH = $PKG_CONFIG_PATH:q
    endif
    set _lode_new_PKG_CONFIG_PATH = ${_lode_root:q}'/lib/pkgconfig':${_lode_root:q}'/share/pkgconfig'
    set _lode_added_PKG_CONFIG_PATH = $_lode_new_PKG_CONFIG_PATH:q
    set _lode_rest = ''
    if ( $?PKG_CONFIG_PATH ) then
        if ( $%PKG_CONFIG_PATH ) set _lode_rest = :$PKG_CONFIG_PATH:q
    endif
    set _lode_new_PKG_CONFIG_PATH = ${_lode_new_PKG_CONFIG_PATH:q}${_lode_rest:q}
    unset _lode_rest
    setenv PKG_CONFIG_PATH $_lode_new_PKG_CONFIG_PATH:q
    if ( $?ROOT_INCLUDE_PATH ) then
        set _lode_old_ROOT_INCLUDE_PATH = $ROOT_INCLUDE_PATH:q
    endif
    set _lode_new_ROOT_INCLUDE_PATH = ${_lode_root:q}'/include'
    set _lode_added_ROOT_INCLUDE_PATH = $_lode_new_ROOT_INCLUDE_PATH:q
    set _lode_rest = ''
    if ( $?ROOT_INCLUDE_PATH ) then
        if ( $%ROOT_INCLUDE_PATH ) set _lode_rest = :$ROOT_INCLUDE_PATH:q
    endif
    set _lode_new_ROOT_INCLUDE_PATH = ${_lode_new_ROOT_INCLUDE_PATH:q}${_lode_rest:q}
    unset _lode_rest
    setenv ROOT_INCLUDE_PATH $_lode_new_ROOT_INCLUDE_PATH:q
    if ( $?SITE_PATH ) then
        set _lode_old_SITE_PATH = $SITE_PATH:q
    endif
    set _lode_new_SITE_PATH = '/etc/site'
    set _lode_added_SITE_PATH = $_lode_new_SITE_PATH:q
    set _lode_rest = ''
    if ( $?SITE_PATH ) then
        if ( $%SITE_PATH ) set _lode_rest = :$SITE_PATH:q
    endif
    set _lode_new_SITE_PATH = ${_lode_new_SITE_PATH:q}${_lode_rest:q}
    unset _lode_rest
    setenv SITE_PATH $_lode_new_SITE_PATH:q
    alias lode_deactivate 'source $_lode_root:q/.lode/deactivate.csh'
    rehash
endif
unset _lode_go _lode_found
