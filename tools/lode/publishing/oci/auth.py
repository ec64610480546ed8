"""Who the user is at a registry: what `docker login` left, credential helpers, and tokens for what is asked.

Forms: Docker's config.json and credential helpers (docker-credential-helpers, `get`), and the distribution project's
token authentication (docs/spec/auth/token.md, oauth.md). Secrets stay in memory and enter no message.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from lode import process
from lode.errors import HostError, PublicationError
from lode.publishing.oci.reference import DOCKER_HUB

_HUB_KEY = "https://index.docker.io/v1/"  # where `docker login` files the account of Docker Hub
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_TOKEN_USER = "<token>"  # noqa: S105 - what a helper answers when its secret is an identity token


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a registry is told of the user."""

    user: str = ""
    password: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)  # an identity token, in place of both

    @property
    def basic(self) -> str:
        """Return the value of a header `Authorization`."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def account(config: Path, host: str, environ: Mapping[str, str]) -> Account | None:
    """Return the account for `host` in Docker's configuration file, None when there is none.

    HostError when the file, or the helper that it names, cannot be used.
    """
    try:
        document = json.loads(config.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise HostError(f"{config} cannot be read: {error}", hint="`docker login` writes it") from error
    if not isinstance(document, dict):
        raise HostError(f"{config} is not a JSON object", hint="`docker login` writes it")
    keys = (_HUB_KEY, host) if host == DOCKER_HUB else (host, f"https://{host}", f"https://{host}/v2/")
    helper = next(
        (document.get("credHelpers", {}).get(key) for key in keys if key in document.get("credHelpers", {})), None
    )
    helper = helper or document.get("credsStore")
    if helper:
        for key in keys:
            if found := _ask(str(helper), key, environ):
                return found
    for key in keys:
        if key in document.get("auths", {}):
            return _of(document["auths"][key], config, key)
    return None


def _of(said: Any, config: Path, key: str) -> Account | None:
    try:
        if said.get("identitytoken"):
            return Account(identity=said["identitytoken"])
        if said.get("auth"):
            user, _, password = base64.b64decode(said["auth"], validate=True).decode().partition(":")
            return Account(user=user, password=password.rstrip("\0"))
        if said.get("username"):
            return Account(user=said["username"], password=said.get("password", ""))
    except (AttributeError, TypeError, binascii.Error, UnicodeDecodeError) as error:
        raise HostError(
            f"{config} has an account for {key} that cannot be read", hint="`docker login` again"
        ) from error
    return None


def _ask(helper: str, key: str, environ: Mapping[str, str]) -> Account | None:
    """Return what a credential helper has for a key; None when it has nothing."""
    told = process.run([f"docker-credential-{helper}", "get"], input=key.encode(), env=environ, timeout_s=60)
    if told.status != 0:
        if "not found" in told.stdout + told.stderr:
            return None
        words = (told.stdout + told.stderr).strip().splitlines() or [f"status {told.status}"]
        raise HostError(f"docker-credential-{helper} failed: {words[0]}")
    try:
        said = json.loads(told.stdout)
        user, secret = str(said["Username"]), str(said["Secret"])
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(f"docker-credential-{helper} answered something that is no account") from error
    return Account(identity=secret) if user == _TOKEN_USER else Account(user=user, password=secret)


class Authorizer:
    """What to answer when a registry asks who is there; tokens are remembered by what they are for."""

    def __init__(self, known: Account | None) -> None:
        """Answer for this account, or for nobody."""
        self._account = known
        self._headers: dict[str, str] = {}
        self._lock = threading.Lock()

    def header(self, scope: str) -> str | None:
        """Return the header `Authorization` for requests of this scope, if one is known by now."""
        return self._headers.get(scope)

    def answer(self, client: httpx.Client, challenges: str, scope: str, refused: str | None) -> bool:
        """Find an answer to a header `WWW-Authenticate`; False when the one that was `refused` is all there is.

        PublicationError when the token service does not give one.
        """
        with self._lock:
            if self._headers.get(scope) != refused:
                return True  # another thread was quicker
            scheme, _, rest = challenges.partition(" ")
            if scheme.lower() == "basic" and self._account is not None and refused is None:
                self._headers[scope] = self._account.basic
                return True
            parameters = dict(_PARAMETER.findall(rest))
            if scheme.lower() != "bearer" or "realm" not in parameters:
                return False
            token = self._token(client, parameters, scope)
            if f"Bearer {token}" == refused:
                return False
            self._headers[scope] = f"Bearer {token}"
            return True

    def _token(self, client: httpx.Client, parameters: Mapping[str, str], scope: str) -> str:
        realm = parameters["realm"]
        where = urlsplit(realm)
        if where.scheme != "https" and not (where.hostname or "").startswith(("127.", "localhost")):
            raise PublicationError(f"the registry sends its users to {realm} for tokens, without TLS: nothing was sent")
        asked = {"scope": scope} | ({"service": parameters["service"]} if "service" in parameters else {})
        if self._account is not None and self._account.identity:
            form = asked | {"grant_type": "refresh_token", "refresh_token": self._account.identity, "client_id": "lode"}
            reply = client.post(realm, data=form)
        else:
            headers = {"Authorization": self._account.basic} if self._account is not None else {}
            reply = client.get(realm, params=asked, headers=headers)
        try:
            said = reply.json() if reply.status_code == httpx.codes.OK else {}
            token = said.get("token") or said.get("access_token")
        except (ValueError, AttributeError):
            token = None
        if not token:
            who = "the account in Docker's configuration" if self._account else "somebody without an account"
            raise PublicationError(
                f"{where.hostname} gives {who} no token for {scope} (status {reply.status_code})",
                hint="`docker login` with an account that may do this",
            )
        return str(token)
