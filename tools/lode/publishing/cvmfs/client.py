"""What a site installs to mount a repository: the public key and a few lines of configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from lode.definitions.repository import Repository
from lode.errors import PublicationError
from lode.tree import FileTree


def config(repository: Repository, public: bytes, *, servers: Sequence[str] = (), proxy: str = "DIRECT") -> FileTree:
    """Return the files below `/etc/cvmfs` that make clients mount the repository.

    `servers` stand in for those of the repository's file; PublicationError when there is none, or when one or the proxy
    would end the line that it is written in.
    """
    name = repository.name
    urls = [_url(url, name) for url in (servers or repository.servers)]
    if not urls:
        raise PublicationError(
            f"no server of {name} is known", hint="list them under servers: in its file, or give --server URL"
        )
    for text in (*urls, proxy):
        if any(mark in text for mark in "\"'$`\\\n"):
            raise PublicationError(f"{text!r} cannot stand in a configuration file")
    key = f"/etc/cvmfs/keys/{name}/{name}.pub"
    lines = [
        f"# {name}{f': {repository.summary}' if repository.summary else ''}",
        f'CVMFS_SERVER_URL="{";".join(urls)}"',
        f'CVMFS_PUBLIC_KEY="{key}"',
        f'CVMFS_HTTP_PROXY="{proxy}"',
    ]
    return FileTree(
        files={
            PurePosixPath("config.d") / f"{name}.conf": ("\n".join(lines) + "\n").encode(),
            PurePosixPath("keys") / name / f"{name}.pub": public,
        }
    )


def _url(url: str, name: str) -> str:
    """Return the URL with the repository's name at its end, as `@fqrn@` or verbatim."""
    trimmed = url.rstrip("/")
    return trimmed if trimmed.endswith((f"/{name}", "/@fqrn@")) else f"{trimmed}/cvmfs/{name}"
