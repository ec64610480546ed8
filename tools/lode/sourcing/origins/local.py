"""Files and folders beside a recipe: `path` origins."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from lode.sourcing import pack, transfer
from lode.sourcing.access import Refused, Wanted
from lode.sourcing.origins.way import ByFile, Way, chunks
from lode.sourcing.reach import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPacking:
    """A folder of this machine, kept as the archive that `pack` makes of it."""

    folder: Path
    network: bool = False

    @property
    def text(self) -> str:
        """Return the path."""
        return str(self.folder)

    def deliver(self, wanted: Wanted, part: Path, reach: Reach) -> None:
        """Fill `part` with the folder's archive."""
        with tempfile.TemporaryFile(dir=part.parent) as archive:
            try:
                pack.pack(self.folder, archive)
            except ValueError as error:
                raise Refused(str(error)) from error
            archive.seek(0)
            transfer.copy(chunks(archive), wanted, part, reach)


def way(path: Path) -> Way:
    """Return the way to the file or folder at `path`; Refused when there is neither."""
    if path.is_dir():
        return ByPacking(folder=path)
    if path.is_file():
        return ByFile(path=path)
    raise Refused(f"there is no {path}")
