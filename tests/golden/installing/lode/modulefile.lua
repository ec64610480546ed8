-- mini 2026.11 for debian12-x86_64, group simulation: link this file as <modulepath>/mini/2026.11.lua. Written by Lode.

help([[mini 2026.11 for debian12-x86_64, group simulation, a software stack made by Lode.]])
whatis("Name: " .. "mini")
whatis("Version: " .. "2026.11")
whatis("Description: " .. "mini 2026.11 for debian12-x86_64, group simulation")

family("lode")  -- one stack at a time: loading another takes this one out

local prefix = "/cvmfs/lode.example.org/mini/2026.11/debian12-x86_64"
if not isFile(pathJoin(prefix, ".lode/prefix.json")) then
    prefix = myFileName():match("^(.*)/%.lode/modulefile%.lua$") or prefix
end

prepend_path("CMAKE_PREFIX_PATH", prefix)
setenv("LODE_PREFIX", prefix)
setenv("LODE_RELEASE", "2026.11")
setenv("LODE_STACK", "mini")
setenv("LODE_TARGET", "debian12-x86_64")
prepend_path("MANPATH", prefix .. "/share/man")
append_path("MANPATH", "")
setenv("NEST_DATA", prefix .. "/share/nest data")
setenv("NEST_MODE", "it's \"fast\" \\ $HOME `id` !x *")
setenv("NEST_ROOT", prefix)
prepend_path("NEST_SEARCH", prefix .. "/share/nest")
prepend_path("PATH", prefix .. "/bin")
prepend_path("PKG_CONFIG_PATH", prefix .. "/share/pkgconfig")
prepend_path("PKG_CONFIG_PATH", prefix .. "/lib/pkgconfig")
prepend_path("ROOT_INCLUDE_PATH", prefix .. "/include")
prepend_path("SITE_PATH", "/etc/site")
