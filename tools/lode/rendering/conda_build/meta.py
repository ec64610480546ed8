"""One node on one target as a meta.yaml of conda-build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lode.locking.graph import Node
from lode.rendering import mirror
from lode.rendering.conda import recipe
from lode.rendering.conda.recipe import Scene
from lode.rendering.quoting import yaml_document

# Jinja looks before YAML does: no quote in a template may be one that YAML escapes.
MIRROR = "{{ environ.get('LODE_MIRROR', 'file:///nowhere/lode') }}"
_UNPACKED = (".7z", ".tar", ".tar.bz2", ".tar.gz", ".tar.xz", ".tar.z", ".tar.zst", ".tgz", ".zip")  # whatever is asked
_SPECIAL = {letter: chr(0xE000 + ord(letter)) for letter in "{}[]#%"}  # stand-ins until YAML is written
_TO_STANDIN = str.maketrans(_SPECIAL)
_TO_ESCAPE = {ord(standin): f"\\u{ord(letter):04x}" for letter, standin in _SPECIAL.items()}


def document(node: Node, scene: Scene) -> dict[str, Any]:
    """Return the document of the node's meta.yaml, from that of its v1 recipe."""
    v1 = recipe.document(node, scene)
    linking = v1["build"]["dynamic_linking"]
    build: dict[str, Any] = {
        "number": 0,
        "string": v1["build"]["string"],
        "error_overlinking": True,
        "missing_dso_whitelist": [f"*{literal(name)}" for name in linking["missing_dso_allowlist"]],
        "skip_compile_pyc": ["*"],
    }
    if node.prebuilt:
        build["binary_relocation"] = False
    requirements = v1["requirements"]
    tools = [text.removeprefix("$").replace('"', "'") for text in requirements["build"]]
    return {
        "package": v1["package"],
        "source": _sources(node, scene),
        "build": build,
        "requirements": {"build": tools, "host": requirements["host"], "run": requirements["run"]},
        "about": {
            "summary": literal(" ".join(node.summary.split())),
            "home": literal(node.homepage),
            "license": literal(node.license),
        },
        "extra": v1["extra"],
    }


def stub(v1: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a package of the toolchain, from that of its v1 recipe."""
    requirements = v1.get("requirements", {})
    build = {
        "number": 0,
        "string": v1["build"]["string"],
        "script": [literal(line) for line in v1["build"]["script"]["content"]],
    }
    if "run_exports" in requirements:
        build["run_exports"] = requirements["run_exports"]
    found: dict[str, Any] = {"package": v1["package"], "build": build}
    return {**found, "requirements": {"run": requirements["run"]}} if "run" in requirements else found


def literal(text: str) -> str:
    """Return `text` with stand-ins for what conda-build would look at before it reads YAML.

    ValueError for a text that has a stand-in itself, a letter of Unicode's private use.
    """
    if any(standin in text for standin in _SPECIAL.values()):
        raise ValueError(f"a letter of private use cannot be written: {text!r}")
    return text.translate(_TO_STANDIN)


def text(value: Mapping[str, Any]) -> str:
    """Return a document as text, with escapes for the stand-ins; these are always in double quotes."""
    return yaml_document(value).translate(_TO_ESCAPE)


def _sources(node: Node, scene: Scene) -> list[dict[str, Any]]:
    target = scene.target.name
    found: list[dict[str, Any]] = []
    there = [source for source in node.sources if target in source.targets]
    for place, source in enumerate(there, 1):
        urls = [literal(address) for address in mirror.addresses(source)]
        stated: dict[str, Any] = {
            "url": [f"{MIRROR}/{mirror.relative_path(source)}", *urls],
            "sha256": str(source.sha256),
        }
        if not source.unpack:
            stated["fn"] = literal(source.filename)
            if source.filename.lower().endswith(_UNPACKED):
                scene.weaken(node.package, f"{source.filename} is unpacked by conda-build, although it is wanted whole")
        folder = recipe.staged(place) if source.subdirectory else source.directory
        if folder:
            stated["folder"] = literal(folder)
        found.append(stated)
    patches = [patch.file for patch in node.patches if target in patch.targets]
    for place, file in enumerate(patches, 1):
        found.append({"path": literal(file), "folder": f"{recipe.STAGED}/patch-{place}"})
    return found
