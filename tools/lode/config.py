"""Where Lode keeps things on this machine, from the environment that the command was started in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

KEY_PASSWORD = "LODE_KEY_PASSWORD"  # noqa: S105 - the variable that opens a signing key


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folders of one user. None of them need exist before the first use."""

    cache: Path  # artifacts/ and work/: may be deleted at any time, costs rebuilding
    mirror: Path  # sources by sha256, in the layout that Spack reads
    releases: Path  # releases/<stack>/<release>/: what `lode release` leaves
    keys: Path  # signing keys, mode 0700


def places(environ: Mapping[str, str]) -> Places:
    """Return the folders: below $LODE_HOME when it is set, else the platform's own for caches, data and settings."""
    home = environ.get("LODE_HOME")
    if home:
        root = Path(home).absolute()
        cache, data, settings = root / "cache", root, root
    else:
        cache = Path(platformdirs.user_cache_dir("lode"))
        data = Path(platformdirs.user_data_dir("lode"))
        settings = Path(platformdirs.user_config_dir("lode"))
    return Places(
        cache=Path(environ.get("LODE_CACHE") or cache),
        mirror=Path(environ.get("LODE_MIRROR") or data / "mirror"),
        releases=Path(environ.get("LODE_RELEASES") or data / "releases"),
        keys=settings / "keys",
    )


def state(environ: Mapping[str, str]) -> Path:
    """Return the folder for what Lode notes about its own runs, such as the traceback of a crash."""
    home = environ.get("LODE_HOME")
    return Path(home).absolute() / "state" if home else Path(platformdirs.user_state_dir("lode"))
