"""One node on one target as a v1 recipe: exact pins, and sources and patches by their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lode.definitions.target import Target
from lode.locking.graph import LockedSource, Node
from lode.rendering import mirror, names
from lode.rendering.conda import words
from lode.rendering.environments import Installed, environments
from lode.rendering.weakening import Weakening

MIRROR = '${{ env.get("LODE_MIRROR", default="file:///nowhere/lode") }}'  # an address: where sources lie by their hash
STAGED = "lode-sources"  # below the source folder: what build.sh lays out itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A target, all nodes of it, and what was found to be said less exactly."""

    target: Target
    nodes: Mapping[str, Node]
    installed: Installed
    weakenings: set[Weakening] = field(default_factory=set)

    @classmethod
    def of(cls, target: Target, nodes: Mapping[str, Node]) -> Self:
        """Return the scene of `nodes` on `target`, of which nothing is known yet."""
        return cls(target=target, nodes=nodes, installed=Installed(target=target.name, nodes=nodes))

    def weaken(self, package: str, what: str) -> None:
        """Record that something of `package` is said less exactly."""
        self.weakenings.add(Weakening(package=package, what=what))


def document(node: Node, scene: Scene) -> dict[str, Any]:
    """Return the document of the node's recipe.yaml."""
    target = scene.target
    asked = environments(node, scene.installed)
    version = words.version(node.version)
    if version != node.version:
        scene.weaken(node.package, f"the version {node.version} is called {version}")
    linking: dict[str, Any] = {
        "overlinking_behavior": "error",
        "overdepending_behavior": "ignore",
        "missing_dso_allowlist": sorted({*target.system_libraries, *node.system_libraries}),
    }
    if node.prebuilt:
        linking["binary_relocation"] = False
    return {
        "package": {"name": node.package, "version": version},
        "source": [*sources(node, scene), *patches(node, target.name)],
        "build": {
            "number": 0,
            "string": words.string(node, target.name),
            "script": {"file": "build.sh"},
            "dynamic_linking": linking,
            "python": {"skip_pyc_compilation": ["**/*.py"]},
        },
        "requirements": {
            "build": [*compilers(node), *tools(node, target.name), *_pins(asked.build, scene)],
            "host": _pins(asked.host, scene),
            "run": _pins(asked.run, scene),
        },
        "about": {
            "summary": words.literal(node.summary),
            "homepage": words.literal(node.homepage),
            "license": words.literal(node.license),
        },
        "extra": {"lode": {"version": node.version, "node": str(node.hashes[target.name])}},
    }


def compilers(node: Node) -> list[str]:
    """Return the requirements on compilers, as both forms of recipes have them after the mark of a template."""
    found = [f'${{{{ compiler("{language}") }}}}' for language in node.languages]
    return [*found, '${{ stdlib("c") }}'] if found else []


def tools(node: Node, target: str) -> list[str]:
    """Return the requirements on what an OS, or another channel, brings."""
    return [
        f"{names.elsewhere(edge.package, names.CONDA)} {words.constraint(edge.constraint)}".strip()
        for edge in node.externals
        if target in edge.targets
    ]


def sources(node: Node, scene: Scene) -> Iterator[dict[str, Any]]:
    """Yield the sources: each from the mirror by its hash, or from an address that serves it."""
    for place, source in enumerate(_on(node, scene.target.name), 1):
        urls = mirror.addresses(source)
        if not urls:
            scene.weaken(node.package, mirror.alone(source))
        stated: dict[str, Any] = {
            "url": [f"{MIRROR}/{mirror.relative_path(source)}", *map(words.literal, urls)],
            "sha256": str(source.sha256),
        }
        if not source.unpack:
            stated["file_name"] = words.literal(source.filename)
        folder = staged(place) if source.subdirectory else source.directory
        if folder:
            stated["target_directory"] = words.literal(folder)
        yield stated


def patches(node: Node, target: str) -> Iterator[dict[str, Any]]:
    """Yield the patches as files beside the sources; build.sh applies them once all sources are laid out."""
    there = [patch for patch in node.patches if target in patch.targets]
    for place, patch in enumerate(there, 1):
        yield {"path": words.literal(patch.file), "target_directory": f"{STAGED}/patch-{place}"}


def staged(place: int) -> str:
    """Return where the source at `place` lies before the folder that is wanted of it is taken."""
    return f"{STAGED}/{place}"


def _on(node: Node, target: str) -> list[LockedSource]:
    return [source for source in node.sources if target in source.targets]


def _pins(packages: Iterable[str], scene: Scene) -> list[str]:
    return [words.exact(scene.nodes[name], scene.target.name) for name in packages]
