"""The file that a bug leaves behind: version, command line and traceback, for whoever mends it."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from lode import __version__, config


def write(error: BaseException, arguments: list[str]) -> Path:
    """Return the new file in the state folder, or in the one for temporary files where that cannot be written."""
    now = datetime.now(UTC)
    kernel = os.uname()
    text = "\n".join(
        [
            f"lode {__version__}, Python {sys.version.split()[0]} ({sys.executable}), "
            f"{kernel.sysname} {kernel.release} {kernel.machine}",
            f"{now:%Y-%m-%d %H:%M:%S} UTC: lode {shlex.join(arguments)}",
            f"in {Path.cwd()}",
            "",
            *traceback.format_exception(error),
        ]
    )
    name = f"lode-crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    for folder in (config.state(os.environ), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return folder / name
    raise OSError("no folder can be written to")
