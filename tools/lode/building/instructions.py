"""What rattler-build is told of a node: its environments, exact pins and rules, as a v1 recipe (CEP 13 and 14).

Nothing enters a recipe that the node's hash does not cover, for the package file is known by that hash alone: licence,
summary and the like are told by the lock.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from lode.building import naming
from lode.definitions.target import Target
from lode.locking.graph import Node
from lode.rendering.environments import Installed, environments


def recipe(node: Node, target: Target, nodes: Mapping[str, Node], *, root: str) -> dict[str, Any]:
    """Return the recipe of `node`, whose build script lies in the workspace at `root`."""
    asked = environments(node, Installed(target=target.name, nodes=nodes))
    node_hash = node.hashes[target.name]

    def pins(names: Iterable[str]) -> list[str]:
        return [naming.exact(nodes[name], target.name) for name in names]

    linking: dict[str, Any] = {
        "overlinking_behavior": "error",
        "overdepending_behavior": "ignore",
        "missing_dso_allowlist": sorted({*target.system_libraries, *node.system_libraries}),
    }
    if node.prebuilt:
        linking["binary_relocation"] = False  # its wheel's hash was checked: leave it as it is
    return {
        "package": {"name": node.package, "version": naming.version_text(node.version)},
        "build": {
            "number": 0,
            "string": naming.build_string(node_hash),
            "script": {"content": [f"/bin/sh {shlex.quote(root)}/build.sh"]},
            "dynamic_linking": linking,
            "python": {"skip_pyc_compilation": ["**/*.py"]},  # the script does it, see `script`
        },
        "requirements": {
            "build": pins(asked.build),
            "host": pins(asked.host),
            "run": [f"__glibc >={target.glibc}", *pins(asked.run)],
        },
        "extra": {"lode": {"node": str(node_hash)}},
    }
