"""Registries as the user reaches them: with the accounts of Docker's configuration and what earlier calls noted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lode.config import Places
from lode.publishing.oci import auth
from lode.publishing.oci.notes import Notes
from lode.publishing.oci.reference import Reference
from lode.publishing.oci.registry import Registry
from lode.publishing.oci.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How registries are reached from here."""

    config: Path  # Docker's config.json, which need not exist
    notes: Path  # folder of what was put where
    environ: Mapping[str, str] = field(repr=False)  # for credential helpers
    plain: bool | None = None  # without TLS; None: only on this machine
    jobs: int = 4  # connections at once
    mount_from: Sequence[str] = ()  # repositories of the same registry that may have blobs already


def reach(
    places: Places,
    environ: Mapping[str, str],
    *,
    plain: bool | None = None,
    jobs: int = 4,
    mount_from: Sequence[str] = (),
) -> Reach:
    """Return how this user reaches registries: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`."""
    folder = environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or "/", ".docker")
    return Reach(
        config=Path(folder) / "config.json",
        notes=places.cache / "registries",
        environ=environ,
        plain=plain,
        jobs=jobs,
        mount_from=mount_from,
    )


@contextlib.contextmanager
def registry(reference: Reference, by: Reach) -> Iterator[Registry]:
    """Yield the repository of `reference`; its connections are closed at the end."""
    account = auth.account(by.config, reference.host, by.environ)
    transport = Transport(reference, auth.Authorizer(account), plain=by.plain, connections=by.jobs + 1)
    try:
        yield Registry(transport, notes=Notes(by.notes), mount_from=by.mount_from)
    finally:
        transport.close()
