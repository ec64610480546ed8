"""Stores that machines share: a folder, a web server, or a bucket, by the address that a user gives.

A store holds blobs by key and promises nothing about them: whoever reads checks (see `cache`). Writing is by names that
never change their content, so two writers of one key do no harm. A store that does not answer is told apart from one
that has nothing: reading goes on without it, and what could not be kept is said. No message has the user and password
that an address may hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lode.building.cache import FolderStore, Store, Unreachable
from lode.errors import UsageError
from lode.sourcing.access import redacted

if TYPE_CHECKING:
    import httpx

_TRIES = 4
_PAUSE_S = 0.5  # before the second try; doubled for each further one
_TIMEOUT_S = 60.0
_CHUNK = 1 << 20
_BUCKETS = ("s3", "gs", "az")  # the schemes that obstore reads
_FORMS = "a folder, https://…, oci://registry/name, s3://bucket/path, gs://bucket/path or az://container/path"


def store(address: str, *, settings: Mapping[str, str] | None = None, token: str | None = None) -> Store:
    """Return the store at `address`: a folder's path or file: URL, an HTTP(S) URL, or that of a bucket.

    `settings` are the environment's variables for buckets (see `bucket`); `token` is sent to a web server as a bearer
    token. UsageError when the address has another form.
    """
    parts = urlsplit(address)
    if parts.scheme == "" or parts.scheme == "file":
        path = Path(parts.path if parts.scheme else address)
        if not path.is_absolute():
            path = Path.cwd() / path
        return FolderStore(path)
    if parts.scheme in ("http", "https") and parts.netloc:
        return HttpStore(address, token=token)
    if parts.scheme in _BUCKETS and parts.netloc:
        return bucket(address, settings or {})
    raise UsageError(f"{redacted(address)!r} is no address of a store", hint=f"a store is {_FORMS}")


def bucket(address: str, settings: Mapping[str, str]) -> ObjectStore:
    """Return the store in a bucket, whose account obstore reads from the usual variables (`AWS_ACCESS_KEY_ID` …).

    `settings` are those variables; a bucket served without TLS is asked only when they name it as an endpoint.
    UsageError when they or `address` do not fit.
    """
    import obstore
    from obstore.exceptions import BaseError

    plain = any(settings.get(name, "").startswith("http:") for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT"))
    options: dict[str, Any] = {"client_options": {"allow_http": True}} if plain else {}
    try:
        return ObjectStore(obstore.store.from_url(address, **options), address)
    except (BaseError, ValueError, TypeError) as error:
        reason = redacted(str(error).split("\n", 1)[0])
        raise UsageError(
            f"the store {redacted(address)} cannot be opened: {reason}", hint=f"a store is {_FORMS}"
        ) from error


class ReadOnly:
    """A store that is read and never written to, as builds of strangers' changes use it."""

    def __init__(self, behind: Store) -> None:
        """Read from `behind`."""
        self._behind = behind

    def has(self, key: str) -> bool:
        """Return whether there is a blob of this key."""
        return self._behind.has(key)

    def get(self, key: str, destination: Path) -> bool:
        """Write the blob to `destination`; False when there is none."""
        return self._behind.get(key, destination)

    def put(self, key: str, source: Path) -> None:
        """Keep nothing."""


class HttpStore:
    """A store on a web server that answers GET and HEAD, and PUT where it is to be written to."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        client: httpx.Client | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use the folder at `address`; `client` stands in for one that goes by the environment's proxies."""
        self._address = address.rstrip("/")
        self._shown = redacted(self._address)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._given = client
        self._pause = pause

    def has(self, key: str) -> bool:
        """Return whether there is a blob of this key; Unreachable when the server does not say."""
        return self._asked(lambda: self._client.head(self._url(key), headers=self._headers)).status_code == 200

    def get(self, key: str, destination: Path) -> bool:
        """Write the blob to `destination`; False when there is none, Unreachable when the server does not say."""

        def once() -> httpx.Response:
            with self._client.stream("GET", self._url(key), headers=self._headers) as answer:
                if answer.status_code == 200:
                    with destination.open("wb") as file:
                        for chunk in answer.iter_bytes(_CHUNK):
                            file.write(chunk)
                return answer

        return self._asked(once).status_code == 200

    def put(self, key: str, source: Path) -> None:
        """Keep the content of `source` unless the key is there; Unreachable when the server refuses."""
        if self.has(key):
            return

        def once() -> httpx.Response:
            with source.open("rb") as file:
                headers = {**self._headers, "Content-Length": str(source.stat().st_size)}
                return self._client.put(self._url(key), content=_chunks(file), headers=headers)

        answer = self._asked(once)
        if answer.status_code == 404:
            raise self._refused(answer)

    @property
    def _client(self) -> httpx.Client:
        if self._given is None:
            import httpx

            self._given = httpx.Client(timeout=_TIMEOUT_S, follow_redirects=True)
        return self._given

    def _url(self, key: str) -> str:
        return f"{self._address}/{key}"

    def _asked(self, once: Callable[[], httpx.Response]) -> httpx.Response:
        """Return the answer, after some more tries when the server is busy or the connection breaks."""
        import httpx

        problem: Exception | None = None
        for attempt in range(_TRIES):
            if attempt:
                self._pause(_PAUSE_S * 2 ** (attempt - 1))
            try:
                answer = once()
            except (httpx.TransportError, httpx.InvalidURL) as error:
                problem = error
                continue
            if answer.status_code < 300 or answer.status_code == 404:
                return answer
            if answer.status_code not in (408, 425, 429) and answer.status_code < 500:
                raise self._refused(answer)
            problem = self._refused(answer)
        if isinstance(problem, Unreachable):
            raise problem
        reason = redacted(str(problem)) or type(problem).__name__
        raise Unreachable(f"the store {self._shown} does not answer: {reason}") from problem

    def _refused(self, answer: httpx.Response) -> Unreachable:
        denied = answer.status_code in (401, 403)
        return Unreachable(
            f"the store {self._shown} refuses {answer.request.method}: {answer.status_code} {answer.reason_phrase}",
            hint="the token for the store is missing, wrong or without that right" if denied else None,
        )


class ObjectStore:
    """A store in a bucket of S3, Google Cloud or Azure, or what speaks their language."""

    def __init__(self, opened: Any, address: str) -> None:
        """Use `opened`, a store of obstore's; `address` names it in messages."""
        self._store = opened
        self._shown = redacted(address)

    def has(self, key: str) -> bool:
        """Return whether there is an object of this key; Unreachable when the bucket does not say."""
        from obstore import head

        try:
            self._asked(lambda: head(self._store, key))
        except FileNotFoundError:
            return False
        return True

    def get(self, key: str, destination: Path) -> bool:
        """Write the object to `destination`; False when there is none, Unreachable when the bucket does not say."""
        from obstore import get

        def once() -> None:
            with destination.open("wb") as file:
                for chunk in get(self._store, key).stream(_CHUNK):
                    file.write(chunk)

        try:
            self._asked(once)
        except FileNotFoundError:
            destination.unlink(missing_ok=True)
            return False
        return True

    def put(self, key: str, source: Path) -> None:
        """Keep the content of `source` unless the key is there; Unreachable when the bucket refuses."""
        from obstore import put

        if not self.has(key):
            self._asked(lambda: put(self._store, key, source))

    def _asked(self, once: Callable[[], Any]) -> Any:
        from obstore.exceptions import BaseError

        try:
            return once()
        except (BaseError, PermissionError, ConnectionError, TimeoutError) as error:
            reason = redacted(str(error).split("\n", 1)[0][:200])
            raise Unreachable(f"the store {self._shown} does not answer: {reason}") from error


def _chunks(file: Any) -> Any:
    while chunk := file.read(_CHUNK):
        yield chunk
