"""How nodes are called as conda packages: version text, build string, file name, platform.

A node's version is verbatim and conda's grammar is narrower (conda.models.version.VersionOrder, CEP 26), so different
versions may share a text; the node hash in the build string keeps the packages apart.
"""

from __future__ import annotations

import re

from lode.digest import Digest
from lode.locking.graph import Node

_HASH_DIGITS = 16
_PLATFORMS = {"x86_64": "linux-64", "aarch64": "linux-aarch64", "ppc64le": "linux-ppc64le", "riscv64": "linux-riscv64"}
_DASHES = re.compile(r"[-:/ ]")
_OTHERS = re.compile(r"[^a-z0-9_.+]")
_RUNS = re.compile(r"[._]*\.[._]*|_{2,}")
_EDGES = "._+"


def version_text(version: str) -> str:
    """Return `version` in conda's grammar: `R-3_06_02` becomes `r_3_06_02`, `4.3.4~rc1` `4.3.4.rc1`."""
    text = _OTHERS.sub(".", _DASHES.sub("_", version.lower()))
    release, plus, local = text.partition("+")
    release = _part(release)
    local = _part(local.replace("+", "."))
    return f"{release or '0'}{plus if local else ''}{local}"


def build_string(node_hash: Digest) -> str:
    """Return the build string of the node with this hash: `h`, 16 digits of the hash, build number 0."""
    return f"h{node_hash[:_HASH_DIGITS]}_0"


def platform(arch: str) -> str:
    """Return conda's name of a Linux platform; ValueError for a machine that conda has no name for."""
    try:
        return _PLATFORMS[arch]
    except KeyError:
        raise ValueError(f"conda has no platform for {arch}") from None


def file_name(node: Node, target: str) -> str:
    """Return the name of the node's package file on `target`."""
    return f"{node.package}-{version_text(node.version)}-{build_string(node.hashes[target])}.conda"


def exact(node: Node, target: str) -> str:
    """Return the requirement that only this very package meets."""
    return f"{node.package} =={version_text(node.version)} {build_string(node.hashes[target])}"


def _part(text: str) -> str:
    return _RUNS.sub(lambda run: "." if "." in run.group() else "_", text).strip(_EDGES)
