"""The means of one fetch: HTTP clients, the machine's own settings once they are asked for, and who watches.

Shared by all the threads of a fetch. A host that could not be reached at all is not asked again in the same fetch.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from lode.progress import Progress
from lode.sourcing.access import Access, Interrupted, Refused

if TYPE_CHECKING:
    import httpx

Value = TypeVar("Value")
_CONNECT_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A URL with what the machine says about reaching it: certificates, a proxy, whether to look at certificates."""

    url: str
    ca_file: str | None = None
    proxy: str | None = None
    trusted: bool = False  # the user's settings say not to check the host's certificate


class Reach:
    """What the ways to a source share. Close it, or use it in a `with`, to close its connections."""

    def __init__(self, access: Access, progress: Progress, stop: threading.Event) -> None:
        self.access = access
        self.progress = progress
        self.stop = stop
        self._clients: dict[tuple[str | None, str | None, bool], httpx.Client] = {}
        self._dead: dict[str, str] = {}
        self._known: dict[str, Any] = {}
        self._making: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Reach:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()

    def once(self, key: str, make: Callable[[], Value]) -> Value:
        """Return what `make` returned when it was first called for `key`."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:  # one lock a key: who needs apt's settings does not wait for pip's
            if key not in self._known:
                self._known[key] = make()
            value: Value = self._known[key]
            return value

    def pause(self, seconds: float) -> None:
        """Wait; Interrupted when the fetch is to end."""
        if self.stop.wait(seconds):
            raise Interrupted

    def heed(self) -> None:
        """Raise Interrupted when the fetch is to end."""
        if self.stop.is_set():
            raise Interrupted

    def refuse_dead(self, url: str) -> None:
        """Raise Refused when the host of `url` could not be reached before."""
        reason = self._dead.get(urlsplit(url).netloc)
        if reason is not None:
            raise Refused(reason)

    def bury(self, url: str, reason: str) -> None:
        """Remember that the host of `url` cannot be reached, and why."""
        self._dead[urlsplit(url).netloc] = reason

    def client(self, link: Link) -> httpx.Client:
        """Return the client for `link`; the environment's proxies and certificates hold unless the link has its own."""
        import httpx

        key = (link.ca_file, link.proxy, link.trusted)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = httpx.Client(
                    verify=_context(link),
                    proxy=link.proxy,
                    follow_redirects=True,
                    timeout=httpx.Timeout(self.access.timeout_s, connect=min(_CONNECT_S, self.access.timeout_s)),
                    # the bytes as they are stored: a server must not pack or unpack what we take the hash of
                    headers={"Accept-Encoding": "identity", "User-Agent": "lode"},
                )
            return self._clients[key]


def _context(link: Link) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=link.ca_file)
    except OSError as error:
        raise Refused(f"the certificates {link.ca_file} cannot be read: {error.strerror}") from error
    if link.trusted:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
