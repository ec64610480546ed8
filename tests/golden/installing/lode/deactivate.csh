# Takes mini 2026.11 for debian12-x86_64, group simulation out of a tcsh: the alias lode_deactivate of setup.csh. Written by Lode.
if ( $?CMAKE_PREFIX_PATH ) then
    if ( $CMAKE_PREFIX_PATH:q == $_lode_new_CMAKE_PREFIX_PATH:q ) then
        if ( $?_lode_old_CMAKE_PREFIX_PATH ) then
            setenv CMAKE_PREFIX_PATH $_lode_old_CMAKE_PREFIX_PATH:q
        else
            unsetenv CMAKE_PREFIX_PATH
        endif
    else
        setenv _LODE_ADDED $_lode_added_CMAKE_PREFIX_PATH:q
        setenv _LODE_VALUE $CMAKE_PREFIX_PATH:q
        setenv _LODE_DO 'v=:$_LODE_VALUE:; case $v in *":$_LODE_ADDED:"*) v=${v%%":$_LODE_ADDED:"*}:${v#*":$_LODE_ADDED:"} ;; esac; v=${v#:}; printf "%s\n" "${v%:}"'
        setenv CMAKE_PREFIX_PATH "`/usr/bin/printenv _LODE_DO | /bin/sh`"
        unsetenv _LODE_ADDED
        unsetenv _LODE_VALUE
        unsetenv _LODE_DO
    endif
endif
unset _lode_old_CMAKE_PREFIX_PATH _lode_new_CMAKE_PREFIX_PATH _lode_added_CMAKE_PREFIX_PATH
if ( $?LODE_PREFIX ) then
    if ( $LODE_PREFIX:q == $_lode_new_LODE_PREFIX:q ) then
        if ( $?_lode_old_LODE_PREFIX ) then
            setenv LODE_PREFIX $_lode_old_LODE_PREFIX:q
        else
            unsetenv LODE_PREFIX
        endif
    endif
endif
unset _lode_old_LODE_PREFIX _lode_new_LODE_PREFIX _lode_added_LODE_PREFIX
if ( $?LODE_RELEASE ) then
    if ( $LODE_RELEASE:q == $_lode_new_LODE_RELEASE:q ) then
        if ( $?_lode_old_LODE_RELEASE ) then
            setenv LODE_RELEASE $_lode_old_LODE_RELEASE:q
        else
            unsetenv LODE_RELEASE
        endif
    endif
endif
unset _lode_old_LODE_RELEASE _lode_new_LODE_RELEASE _lode_added_LODE_RELEASE
if ( $?LODE_STACK ) then
    if ( $LODE_STACK:q == $_lode_new_LODE_STACK:q ) then
        if ( $?_lode_old_LODE_STACK ) then
            setenv LODE_STACK $_lode_old_LODE_STACK:q
        else
            unsetenv LODE_STACK
        endif
    endif
endif
unset _lode_old_LODE_STACK _lode_new_LODE_STACK _lode_added_LODE_STACK
if ( $?LODE_TARGET ) then
    if ( $LODE_TARGET:q == $_lode_new_LODE_TARGET:q ) then
        if ( $?_lode_old_LODE_TARGET ) then
            setenv LODE_TARGET $_lode_old_LODE_TARGET:q
        else
            unsetenv LODE_TARGET
        endif
    endif
endif
unset _lode_old_LODE_TARGET _lode_new_LODE_TARGET _lode_added_LODE_TARGET
if ( $?MANPATH ) then
    if ( $MANPATH:q == $_lode_new_MANPATH:q ) then
        if ( $?_lode_old_MANPATH ) then
            setenv MANPATH $_lode_old_MANPATH:q
        else
            unsetenv MANPATH
        endif
    else
        setenv _LODE_ADDED $_lode_added_MANPATH:q
        setenv _LODE_VALUE $MANPATH:q
        setenv _LODE_DO 'v=:$_LODE_VALUE:; case $v in *":$_LODE_ADDED:"*) v=${v%%":$_LODE_ADDED:"*}:${v#*":$_LODE_ADDED:"} ;; esac; v=${v#:}; printf "%s\n" "${v%:}"'
        setenv MANPATH "`/usr/bin/printenv _LODE_DO | /bin/sh`"
        unsetenv _LODE_ADDED
        unsetenv _LODE_VALUE
        unsetenv _LODE_DO
    endif
endif
unset _lode_old_MANPATH _lode_new_MANPATH _lode_added_MANPATH
if ( $?NEST_DATA ) then
    if ( $NEST_DATA:q == $_lode_new_NEST_DATA:q ) then
        if ( $?_lode_old_NEST_DATA ) then
            setenv NEST_DATA $_lode_old_NEST_DATA:q
        else
            unsetenv NEST_DATA
        endif
    endif
endif
unset _lode_old_NEST_DATA _lode_new_NEST_DATA _lode_added_NEST_DATA
if ( $?NEST_MODE ) then
    if ( $NEST_MODE:q == $_lode_new_NEST_MODE:q ) then
        if ( $?_lode_old_NEST_MODE ) then
            setenv NEST_MODE $_lode_old_NEST_MODE:q
        else
            unsetenv NEST_MODE
        endif
    endif
endif
unset _lode_old_NEST_MODE _lode_new_NEST_MODE _lode_added_NEST_MODE
if ( $?NEST_ROOT ) then
    if ( $NEST_ROOT:q == $_lode_new_NEST_ROOT:q ) then
        if ( $?_lode_old_NEST_ROOT ) then
            setenv NEST_ROOT $_lode_old_NEST_ROOT:q
        else
            unsetenv NEST_ROOT
        endif
    endif
endif
unset _lode_old_NEST_ROOT _lode_new_NEST_ROOT _lode_added_NEST_ROOT
if ( $?NEST_SEARCH ) then
    if ( $NEST_SEARCH:q == $_lode_new_NEST_SEARCH:q ) then
        if ( $?_lode_old_NEST_SEARCH ) then
            setenv NEST_SEARCH $_lode_old_NEST_SEARCH:q
        else
            unsetenv NEST_SEARCH
        endif
    else
        setenv _LODE_ADDED $_lode_added_NEST_SEARCH:q
        setenv _LODE_VALUE $NEST_SEARCH:q
        setenv _LODE_DO 'v=:$_LODE_VALUE:; case $v in *":$_LODE_ADDED:"*) v=${v%%":$_LODE_ADDED:"*}:${v#*":$_LODE_ADDED:"} ;; esac; v=${v#:}; printf "%s\n" "${v%:}"'
        setenv NEST_SEARCH "`/usr/bin/printenv _LODE_DO | /bin/sh`"
        unsetenv _LODE_ADDED
        unsetenv _LODE_VALUE
        unsetenv _LODE_DO
    endif
endif
unset _lode_old_NEST_SEARCH _lode_new_NEST_SEARCH _lode_added_NEST_SEARCH
if ( $?PATH ) then
    if ( $PATH:q == $_lode_new_PATH:q ) then
        if ( $?_lode_old_PATH ) then
            setenv PATH $_lode_old_PATH:q
        else
            unsetenv PATH
        endif
    else
        setenv _LODE_ADDED $_lode_added_PATH:q
        setenv _LODE_VALUE $PATH:q
        setenv _LODE_DO 'v=:$_LODE_VALUE:; case $v in *":$_LODE_ADDED:"*) v=${v%%":$_LODE_ADDED:"*}:${v#*":$_LODE_ADDED:"} ;; esac; v=${v#:}; printf "%s\n" "${v%:}"'
        setenv PATH "`/usr/bin/printenv _LODE_DO | /bin/sh`"
        unsetenv _LODE_ADDED
        unsetenv _LODE_VALUE
        unsetenv _LODE_DO
    endif
endif
unset _lode_old_PATH _lode_new_PATH _lode_added_PATH
if ( $?PKG_CONFIG_PATH ) then
    if ( $PKG_CONFIG_PATH:q == $_lode_new_PKG_CONFIG_PATH:q ) then
        if ( $?_lode_old_PKG_CONFIG_PATH ) then
            setenv PKG_CONFIG_PATH $_lode_old_PKG_CONFIG_PATH:q
        else
            unsetenv PKG_CONFIG_PATH
        endif
    else
        setenv _LODE_ADDED $_lode_added_PKG_CONFIG_PATH:q
        setenv _LODE_VALUE $PKG_CONFIG_PATH:q
        setenv _LODE_DO 'v=:$_LODE_VALUE:; case $v in *":$_LODE_ADDED:"*) v=${v%%":$_LODE_ADDED:"*}:${v#*":$_LODE_ADDED:"} ;; esac; v=${v#:}; printf "%s\n" "${v%:}"'
        setenv PKG_CONFIG_PATH "`/usr/bin/printenv _LODE_DO | /bin/sh`"
        unsetenv _LODE_ADDED
        unsetenv _LODE_VALUE
        unsetenv _LODE_DO
    endif
endif
unset _lode_old_PKG_CONFIG_PATH _lode_new_PKG_CONFIG_PATH _lode_added_PKG_CONFIG_PATH
if ( $?ROOT_INCLUDE_PATH ) then
    if ( $ROOT_INCLUDE_PATH:q == $_lode_new_ROOT_INCLUDE_PATH:q ) then
        if ( $?_lode_old_ROOT_INCLUDE_PATH ) then
            setenv ROOT_INCLUDE_PATH $_lode_old_ROOT_INCLUDE_PATH:q
        else
            unsetenv ROOT_INCLUDE_PATH
        endif
    else
        setenv _LODE_ADDED $_lode_added_ROOT_INCLUDE_PATH:q
        setenv _LODE_VALUE $ROOT_INCLUDE_PATH:q
        setenv _LODE_DO 'v=:$_LODE_VALUE:; case $v in *":$_LODE_ADDED:"*) v=${v%%":$_LODE_ADDED:"*}:${v#*":$_LODE_ADDED:"} ;; esac; v=${v#:}; printf "%s\n" "${v%:}"'
        setenv ROOT_INCLUDE_PATH "`/usr/bin/printenv _LODE_DO | /bin/sh`"
        unsetenv _LODE_ADDED
        unsetenv _LODE_VALUE
        unsetenv _LODE_DO
    endif
endif
unset _lode_old_ROOT_INCLUDE_PATH _lode_new_ROOT_INCLUDE_PATH _lode_added_ROOT_INCLUDE_PATH
if ( $?SITE_PATH ) then
    if ( $SITE_PATH:q == $_lode_new_SITE_PATH:q ) then
        if ( $?_lode_old_SITE_PATH ) then
            setenv SITE_PATH $_lode_old_SITE_PATH:q
        else
            unsetenv SITE_PATH
        endif
    else
        setenv _LODE_ADDED $_lode_added_SITE_PATH:q
        setenv _LODE_VALUE $SITE_PATH:q
        setenv _LODE_DO 'v=:$_LODE_VALUE:; case $v in *":$_LODE_ADDED:"*) v=${v%%":$_LODE_ADDED:"*}:${v#*":$_LODE_ADDED:"} ;; esac; v=${v#:}; printf "%s\n" "${v%:}"'
        setenv SITE_PATH "`/usr/bin/printenv _LODE_DO | /bin/sh`"
        unsetenv _LODE_ADDED
        unsetenv _LODE_VALUE
        unsetenv _LODE_DO
    endif
endif
unset _lode_old_SITE_PATH _lode_new_SITE_PATH _lode_added_SITE_PATH
unalias lode_deactivate
unset _lode_root
rehash
