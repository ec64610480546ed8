"""Sources and patches of an easyconfig, each with its sha256.

A source's file name is its path below a mirror of Lode (`_source-cache/archive/<sha256[:2]>/<sha256><extension>`), so
that `eb --sourcepath=<mirror>` finds it; EasyBuild keeps what it downloads itself under the same name.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from lode.locking.graph import LockedPatch, LockedSource, Node
from lode.rendering import mirror
from lode.rendering.easybuild.words import plain
from lode.rendering.quoting import shell
from lode.rendering.weakening import Weakening

_ZIPS = (".zip", ".whl", ".jar")


def sources(node: Node, target: str, lost: set[Weakening]) -> dict[str, Any]:
    """Return the sources and patches of `node` on `target` with their checksums."""
    here = [source for source in node.sources if target in source.targets]
    patches = [patch for patch in node.patches if target in patch.targets]
    simple = len(here) == 1 and here[0].unpack and not here[0].directory and not here[0].subdirectory
    found: dict[str, Any] = {}
    if here:
        found["sources"] = [_source(node, source, lost, simple=simple) for source in here]
    if patches:
        found["patches"] = [_patch(patch) for patch in patches]
    if here or patches:
        found["checksums"] = [*(str(one.sha256) for one in here), *(str(one.sha256) for one in patches)]
    if here and not simple:
        found["start_dir"] = "%(builddir)s/source"
    return found


def _patch(patch: LockedPatch) -> dict[str, Any]:
    return {"name": PurePosixPath(patch.file).name, "level": patch.strip}


def _source(node: Node, source: LockedSource, lost: set[Weakening], *, simple: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"filename": mirror.relative_path(source)}
    addresses = mirror.addresses(source)
    if addresses:
        folder, _, name = addresses[0].rpartition("/")
        found |= {"download_filename": plain(name), "source_urls": [plain(folder)]}
    else:
        lost.add(Weakening(package=node.package, what=mirror.alone(source)))
    if not simple:
        found["extract_cmd"] = plain(_unpacking(source, mirror.extension(source)))
    return found


def _unpacking(source: LockedSource, extension: str) -> str:
    """Return the command that lays the source below `source`; %s is the file, other per cent signs are doubled."""
    place = _literal(f"source/{source.directory}" if source.directory else "source")
    if not source.unpack:
        return f"mkdir -p {place} && cp %s {place}/{_literal(source.filename)}"
    taking = "unzip -q %s -d .unpacked" if extension in _ZIPS else "tar -xf %s -C .unpacked"
    inner = f"/{_literal(source.subdirectory)}" if source.subdirectory else ""
    return (
        f"mkdir .unpacked && {taking} && set -- .unpacked/* && "
        'if [ $# -ne 1 ] || [ ! -d "$1" ]; then set -- .unpacked; fi && '
        f'mkdir -p {place} && cp -a "$1"{inner}/. {place}/ && rm -rf .unpacked'
    )


def _literal(text: str) -> str:
    return shell(text).replace("%", "%%")
