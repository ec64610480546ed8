"""A way to a source's bytes, and the two plain ones: a URL and a file of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import unquote, urlsplit

from lode.sourcing import transfer
from lode.sourcing.access import Refused, Wanted, redacted
from lode.sourcing.reach import Link, Reach

_CHUNK = 1 << 20


class Way(Protocol):
    """One way to get the wanted bytes."""

    @property
    def text(self) -> str:
        """The place as messages name it, without credentials."""
        ...

    @property
    def network(self) -> bool:
        """Whether it leaves this machine."""
        ...

    def deliver(self, wanted: Wanted, part: Path, reach: Reach) -> None:
        """Fill `part` with the wanted bytes; Refused, with the reason, when they are not to be had here."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHttp:
    """A file behind an http or https URL."""

    link: Link
    network: bool = True

    @property
    def text(self) -> str:
        """Return the URL without credentials."""
        return redacted(self.link.url)

    def deliver(self, wanted: Wanted, part: Path, reach: Reach) -> None:
        """Fill `part` by download, taking up what an earlier attempt left."""
        transfer.download(self.link, wanted, part, reach)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByFile:
    """A file of this machine."""

    path: Path
    network: bool = False

    @property
    def text(self) -> str:
        """Return the path."""
        return str(self.path)

    def deliver(self, wanted: Wanted, part: Path, reach: Reach) -> None:
        """Fill `part` with a copy."""
        try:
            with self.path.open("rb") as file:
                transfer.copy(chunks(file), wanted, part, reach)
        except OSError as error:
            raise Refused(error.strerror or str(error)) from error


def at(location: str, *, link: Link | None = None) -> Way:
    """Return the way to a URL (http, https, file) or an absolute path; `link` says how to reach the URL."""
    parts = urlsplit(location)
    if parts.scheme in ("http", "https"):
        return ByHttp(link=link or Link(url=location))
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return ByFile(path=Path(unquote(parts.path)))
    if not parts.scheme and parts.path.startswith("/"):
        return ByFile(path=Path(location))
    raise Refused(f"{redacted(location)} is not an http, https or file URL")


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what `file` holds from here on, piece by piece."""
    while chunk := file.read(_CHUNK):
        yield chunk
