"""The options that say where sources are asked for, shared by the commands that may fetch."""

from __future__ import annotations

from typing import Any

import click

from lode.cli.common import Command
from lode.sourcing.access import SOFTWARE_HERITAGE, Access


def asking(function: Command) -> Command:
    """Add --mirror, --debian-mirror and --archive to a command, which gets them as one argument, `access`."""

    @click.option("--mirror", "mirrors", multiple=True, metavar="URL",
                  help="A mirror of sources to ask first: a URL or a folder. Repeatable.")  # fmt: skip
    @click.option("--debian-mirror", "debian", multiple=True, envvar="LODE_DEBIAN_MIRROR", metavar="URL",
                  help="A Debian mirror to ask before those of this machine's apt. Repeatable.")  # fmt: skip
    @click.option("--archive", envvar="LODE_ARCHIVE", default=SOFTWARE_HERITAGE, metavar="URL",
                  help="The Software Heritage archive to ask last, or `none`.")  # fmt: skip
    def wrapper(*arguments: Any, mirrors: tuple[str, ...], debian: tuple[str, ...], archive: str, **rest: Any) -> Any:
        access = Access(mirrors=mirrors, debian=debian, archive="" if archive == "none" else archive)
        return function(*arguments, access=access, **rest)

    wrapper.__doc__ = function.__doc__
    wrapper.__name__ = function.__name__
    # options added to `function` before this decorator ran
    wrapper.__click_params__ = [*getattr(function, "__click_params__", []), *getattr(wrapper, "__click_params__", [])]  # type: ignore[attr-defined]
    return wrapper
