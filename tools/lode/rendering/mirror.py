"""Where a source lies below a mirror: `_source-cache/archive/<sha256[:2]>/<sha256><extension>`.

This is the layout that Spack asks a source mirror for (Spack 1.x, `spack.mirrors.layout`), and what `lode fetch` keeps.
The extension is the archive's; a file that is not unpacked has none.
"""

from __future__ import annotations

import re

from lode.locking.graph import LockedSource

_ARCHIVE = re.compile(r"\.(tar(\.(gz|bz2|xz|zst|Z))?|tgz|tbz2?|txz|tzst|zip|whl|jar)\Z", re.IGNORECASE)


def extension(source: LockedSource) -> str:
    """Return what follows the hash in the file's name: `.tar.gz`; empty for what is not unpacked."""
    if not source.unpack:
        return ""
    if source.origins and source.origins[0].scheme == "git":
        return ".tar"
    match = _ARCHIVE.search(source.filename)
    return match.group().lower() if match else ""


def relative_path(source: LockedSource) -> str:
    """Return the source's path below a mirror, and below the address of one."""
    return f"_source-cache/archive/{source.sha256[:2]}/{source.sha256}{extension(source)}"


def addresses(source: LockedSource) -> tuple[str, ...]:
    """Return the addresses that serve the source by themselves, in order of preference."""
    return tuple(origin.location for origin in source.origins if origin.scheme == "url")


def alone(source: LockedSource) -> str:
    """Return the sentence that says of a source without addresses where it comes from."""
    scheme = source.origins[0].scheme if source.origins else "no origin"
    return f"{source.filename} comes from the mirror of sources alone ({scheme})"
