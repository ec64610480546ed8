"""Words made of recipes: what an option means to each build system, and what the file of an origin is called."""

from __future__ import annotations

from lode.definitions.recipe import Origin, System

_SWITCHES = {"true": True, "false": False}


def define(system: System, name: str, value: str) -> str:
    """Return the word that gives the build system's variable `name` the value of an option.

    `NEST_GDML` becomes `-DNEST_GDML=ON` for cmake and `NEST_GDML=1` for make, script and python; `gdml` becomes
    `-Dgdml=true` for meson; `enable-gdml` and `with-gdml` become `--enable-gdml` or `--disable-gdml`, `--with-gdml`
    or `--without-gdml` for autotools, with `=value` when the option is no switch.
    """
    switch = _SWITCHES.get(value)
    match system:
        case System.CMAKE:
            return f"-D{name}={value if switch is None else 'ON' if switch else 'OFF'}"
        case System.MESON:
            return f"-D{name}={value}"
        case System.AUTOTOOLS if name.startswith(("enable-", "with-")):
            if switch is None:
                return f"--{name}={value}"
            return f"--{name}" if switch else f"--{_opposite(name)}"
        case _:
            return f"{name}={value if switch is None else '1' if switch else '0'}"


def _opposite(name: str) -> str:
    kind, _, rest = name.partition("-")
    return {"enable": f"disable-{rest}", "with": f"without-{rest}"}[kind]


_ARCHIVE = (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".zip", ".whl", ".gz", ".bz2", ".xz", ".zst")


def filename(origin: Origin, *, unpack: bool) -> str:
    """Return the name of the file that `origin` serves; trees of git and folders are served as a tar archive."""
    location = origin.location
    match origin.scheme:
        case "git":
            return location.rpartition("@")[0].rstrip("/").rpartition("/")[2].removesuffix(".git") + ".tar"
        case "pypi":
            project, _, file = location.partition("/")
            return file or project.replace("==", "-") + ".tar.gz"
        case "url":
            return location.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
        case _:
            name = location.rstrip("/").rpartition("/")[2]
            folder = origin.scheme == "path" and unpack and not name.lower().endswith(_ARCHIVE)
            return f"{name}.tar" if folder else name
