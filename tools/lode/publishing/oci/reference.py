"""Names of images in registries, as Docker and Podman write them: `ghcr.io/dance/mini:2026.11`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lode.errors import UsageError
from lode.publishing.oci import store

DOCKER_HUB = "docker.io"  # what a name without a host means, as everywhere
_HUB_HOST = "registry-1.docker.io"

_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image in a registry, or a repository of one when there is neither tag nor digest."""

    host: str  # with a port, if one was named
    repository: str
    tag: str | None = None
    digest: str | None = None  # `sha256:<hex>`

    @property
    def name(self) -> str:
        """Return host and repository."""
        return f"{self.host}/{self.repository}"

    @property
    def endpoint(self) -> str:
        """Return the host that answers for the registry."""
        return _HUB_HOST if self.host == DOCKER_HUB else self.host

    @property
    def local(self) -> bool:
        """Return whether the registry is on this machine, where engines take it without TLS."""
        name = self.host.rpartition(":")[0] or self.host
        return name == "localhost" or name.startswith("127.") or name == "[::1]"

    def __str__(self) -> str:
        """Return the reference as it is written."""
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference:
    """Return the reference that `text` is; UsageError, saying what is wrong, when it is none."""
    rest, at, digest = text.removeprefix("docker://").removeprefix("oci://").partition("@")
    first, slash, path = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        host = first
    else:
        host, path = DOCKER_HUB, rest if slash else f"library/{rest}"
    head, colon, tag = path.partition(":")
    wrong = None
    if not _HOST.fullmatch(host):
        wrong = f"{host!r} is no host"
    elif not _REPOSITORY.fullmatch(head):
        wrong = f"{head!r} is no repository: it has lower-case letters, digits, and single separators between them"
    elif colon and not store.is_tag(tag):
        wrong = f"{tag!r} is no tag"
    elif at and store.parse_digest(digest) is None:
        wrong = f"{digest!r} is no sha256 digest"
    if wrong:
        raise UsageError(f"{text} names no image: {wrong}", hint="as in ghcr.io/experiment/stack:2026.11")
    return Reference(host=host, repository=head, tag=tag or None, digest=digest or None)
