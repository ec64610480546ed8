"""A repository as a web server gives it, read only: from its manifest down, nothing of it is believed unproved."""

from __future__ import annotations

import re

import httpx

from lode.errors import HostError, UsageError

_URL = re.compile(r"(https?://\S+?/([a-z0-9-]+(?:\.[a-z0-9-]+)+))((?:/[^/\s]+){3})?/?")
_TIMEOUT_S = 60.0


class Web:
    """The files below a URL."""

    def __init__(self, url: str, *, client: httpx.Client | None = None) -> None:
        """Read below `url`, which ends in the repository's name."""
        self._url = url.rstrip("/")
        self._client = client or httpx.Client(timeout=_TIMEOUT_S, follow_redirects=True)

    def read(self, key: str) -> bytes | None:
        """Return what lies at `key`, None when the server has nothing there; HostError when it does not answer."""
        url = f"{self._url}/{key}"
        try:
            answer = self._client.get(url)
        except httpx.HTTPError as error:
            raise HostError(f"{url} cannot be read: {error}", hint="look whether the server is reached") from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success:
            raise HostError(f"{url} cannot be read: the server answered {answer.status_code}")
        return answer.content

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def split(url: str) -> tuple[str, str, str | None]:
    """Return the repository's URL, its name, and the path of a tree in it, None for all; UsageError for no such URL."""
    match = _URL.fullmatch(url)
    if match is None:
        raise UsageError(
            f"{url} is not the URL of a repository or of a tree in one",
            hint="such as https://s1.example.org/cvmfs/dance.example.org/dance/2026.11/el9-x86_64",
        )
    return match[1], match[2], match[3]
