"""Images built by a container engine from a Containerfile: for those who want everything built again by it alone."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

from lode.building import engine
from lode.errors import PublicationError

FILE = "Containerfile"


def build(
    address: str,
    context: Path,
    name: str,
    *,
    arguments: dict[str, str],
    network: str | None,
    on_line: Callable[[str], None],
) -> str:
    """Return the id of the image `name` that the engine at `address` built from the context's Containerfile.

    PublicationError with the engine's words when a step fails; HostError when no engine answers.
    """
    client = engine.client(address)
    last = ""
    for said in client.api.build(
        fileobj=_packed(context),
        custom_context=True,
        dockerfile=FILE,
        tag=name,
        buildargs=arguments,
        network_mode=network,
        rm=True,
        forcerm=True,
        decode=True,
        timeout=None,
    ):
        if "error" in said:
            raise PublicationError(
                f"the engine could not build {name}: {said['error']}",
                hint=f"the step before said: {last}" if last else "the lines above say what it did",
            )
        for line in str(said.get("stream", "")).splitlines():
            if line.strip():
                last = line.strip()
                on_line(last)
    identifier: str = client.images.get(name).id
    return identifier


def _packed(context: Path) -> io.BufferedRandom:
    """Return the context as a tar file, in an unnamed file."""
    import tempfile

    file = tempfile.TemporaryFile()  # noqa: SIM115 - the engine's client reads it
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.add(context, arcname=".")
    file.seek(0)
    return file
