"""Requests to one repository of a registry: authorized, tried again when that helps, and errors as sentences."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urljoin

import httpx

from lode.errors import HostError, LodeError, PublicationError
from lode.publishing.oci.auth import Authorizer
from lode.publishing.oci.reference import Reference

ATTEMPTS = 6
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 30.0
_TIMEOUT = httpx.Timeout(60.0, connect=15.0)
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_FULL = 507  # Insufficient Storage
_NO_SPACE = ("no space left", "quota", "disk is full", "insufficient storage")

Body = Callable[[], Iterator[bytes]]  # called for each attempt
Result = TypeVar("Result")


class Lost(Exception):
    """The connection was lost, or the registry could not answer: the same may succeed later."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        """Give the reason, and how long the registry asks to wait."""
        super().__init__(reason)
        self.wait_s = wait_s


class Transport:
    """A client of one repository. Threads may use it at the same time."""

    def __init__(
        self,
        reference: Reference,
        authorizer: Authorizer,
        *,
        plain: bool | None = None,
        connections: int = 8,
        sleep: Callable[[float], object] = time.sleep,
        attempts: int = ATTEMPTS,
    ) -> None:
        """Talk to the registry of `reference`, without TLS when `plain` (default: when it is on this machine)."""
        self.reference = reference
        scheme = "http" if (reference.local if plain is None else plain) else "https"
        self.root = f"{scheme}://{reference.endpoint}/v2/{reference.repository}/"
        self.scope = f"repository:{reference.repository}:pull"
        self._authorizer = authorizer
        self._sleep = sleep
        self._attempts = attempts
        self._client = httpx.Client(
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            follow_redirects=True,
            headers={"User-Agent": "lode"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def url(self, path: str) -> str:
        """Return the address of a path below the repository, or of one that the registry named."""
        return urljoin(self.root, path)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: Body | None = None,
        accept: tuple[int, ...] = (),
    ) -> httpx.Response:
        """Return the reply, read whole, when it succeeded or its status is in `accept`; tried again when that helps."""

        def once() -> httpx.Response:
            with self.stream(method, url, headers=headers, params=params, body=body, accept=accept) as reply:
                with losses():
                    reply.read()
                return reply

        return self.again(once)

    def again(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, called again after a while when it is Lost; the error when it stays so."""
        attempt = 0
        while True:
            try:
                return work()
            except Lost as lost:
                attempt += 1
                self.wait(lost, attempt)

    def wait(self, lost: Lost, attempt: int) -> None:
        """Wait before the next attempt, longer each time; HostError when `attempt` was the last."""
        if attempt >= self._attempts:
            raise self.gone(str(lost)) from lost
        wait_s = min(_FIRST_WAIT_S * 2 ** (attempt - 1), _LONGEST_WAIT_S)
        asked = min(lost.wait_s, _LONGEST_WAIT_S) if lost.wait_s is not None else 0
        self._sleep(max(asked, wait_s * random.uniform(0.5, 1)))  # noqa: S311 - spreads requests

    def gone(self, reason: str) -> LodeError:
        """Return the error for a registry that did not answer in all attempts."""
        return HostError(
            f"{self.reference.host} did not answer {self._attempts} times: {reason}",
            hint="call again later: what was moved is not moved again",
        )

    @contextmanager
    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: Body | None = None,
        accept: tuple[int, ...] = (),
    ) -> Iterator[httpx.Response]:
        """Yield the reply to one attempt; Lost when another may succeed, PublicationError when none will."""
        writes = method in ("POST", "PUT", "PATCH", "DELETE")
        scope = f"{self.scope},push" if writes else self.scope
        ours = self._is_ours(self.url(url))  # nobody else is told who the user is
        for _ in range(2):
            header = self._authorizer.header(scope) if ours else None
            sent = {**(headers or {}), **({"Authorization": header} if header else {})}
            request = self._client.build_request(
                method, self.url(url), headers=sent, params=params, content=body() if body else None
            )
            with self._sent(request) as reply:
                if ours and reply.status_code == httpx.codes.UNAUTHORIZED:
                    reply.read()
                    with losses():
                        answered = self._authorizer.answer(
                            self._client, reply.headers.get("WWW-Authenticate", ""), scope, header
                        )
                    if answered:
                        continue
                if not reply.is_success and reply.status_code not in accept:
                    with losses():
                        reply.read()
                    raise self._error(reply)
                yield reply
                return
        raise self._denied("it asks again who is there")

    def _is_ours(self, url: str) -> bool:
        return httpx.URL(url).netloc == httpx.URL(self.root).netloc and url.startswith(self.root[:5])

    @contextmanager
    def _sent(self, request: httpx.Request) -> Iterator[httpx.Response]:
        with losses():
            reply = self._client.send(request, stream=True)
        try:
            yield reply
        finally:
            reply.close()

    def _error(self, reply: httpx.Response) -> Exception:
        said = _said(reply)
        status = f"{reply.status_code} {reply.reason_phrase}".strip()
        what = f"{status}: {said}" if said else status
        if reply.status_code == _FULL or any(words in said.lower() for words in _NO_SPACE):
            return PublicationError(
                f"{self.reference.host} has no space left ({what})", hint="make space there, then call again"
            )
        if reply.status_code in _AGAIN:
            return Lost(f"it answers {what}", _retry_after(reply))
        if reply.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return self._denied(what)
        return PublicationError(f"{self.reference.name} refuses {reply.request.method} ({what})")

    def _denied(self, what: str) -> PublicationError:
        return PublicationError(
            f"{self.reference.name} gives no access ({what})",
            hint=f"`docker login {self.reference.host}` with an account that may do this",
        )


@contextmanager
def losses() -> Iterator[None]:
    """Turn errors of the connection into Lost."""
    try:
        yield
    except (httpx.TransportError, httpx.StreamError) as error:
        raise Lost(str(error) or type(error).__name__) from error
    except httpx.TooManyRedirects as error:
        raise PublicationError(f"the registry sends from one address to the next: {error}") from error


def _said(reply: httpx.Response) -> str:
    """Return what the registry says went wrong, on one line."""
    try:
        errors = reply.json()["errors"]
        texts = [f"{one.get('code', '')} {one.get('message', '')} {_detail(one)}".strip() for one in errors]
        return "; ".join(texts)[:500]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _detail(error: Mapping[str, Any]) -> str:
    detail = error.get("detail")
    return f"({detail})" if isinstance(detail, str) and detail else ""


def _retry_after(reply: httpx.Response) -> float | None:
    value = reply.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None
