"""Names, versions and texts as conda has them (CEP 13, 14 and 26)."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from lode.definitions.target import Target
from lode.definitions.version import Constraint
from lode.locking.graph import Node
from lode.rendering.weakening import Inexpressible

_PLATFORMS = {"x86_64": "linux-64", "aarch64": "linux-aarch64", "ppc64le": "linux-ppc64le", "riscv64": "linux-riscv64"}
_OTHERS = re.compile(r"[^a-z0-9_.+]+")
_RUNS = re.compile(r"[._+]*[.+][._+]*|__+")


def platform(target: Target) -> str:
    """Return conda's name of the target's platform; Inexpressible when it has none."""
    if target.arch not in _PLATFORMS:
        raise Inexpressible(f"conda has no platform for {target.arch} ({target.name})")
    return _PLATFORMS[target.arch]


@lru_cache(maxsize=65536)
def version(text: str) -> str:
    """Return a version in conda's grammar: `R-3_06_02` becomes `r_3_06_02`, `4.3.4~rc1` `4.3.4_rc1`."""
    found = _RUNS.sub(lambda run: _joint(run.group()), _OTHERS.sub("_", text.lower())).strip("._+")
    local = found.find("+")
    return found if local < 0 else found[: local + 1] + found[local + 1 :].replace("+", ".")


def constraint(text: str) -> str:
    """Return a constraint of a recipe as conda writes it: `>=3.16,==3.*` becomes `>=3.16,3.*`; empty admits all."""
    parts = []
    for clause in Constraint.parse(text).clauses:
        there = version(clause.version.text)
        if not clause.prefix:
            parts.append(f"{clause.operator}{there}")
        else:
            parts.append(f"{'!=' if clause.operator == '!=' else ''}{there}.*")
    return ",".join(parts)


def string(node: Node, target: str) -> str:
    """Return the build string of a node: its hash, so that no other package is ever taken for it."""
    return f"r{node.hashes[target][:16]}_0"


def exact(node: Node, target: str) -> str:
    """Return the requirement that only the package of this node meets."""
    return f"{node.package} =={version(node.version)} {string(node, target)}"


def literal(text: str) -> str:
    """Return any text so that a v1 recipe has it as it is, although parts of it look like a template."""
    if "{" not in text:
        return text
    inside = json.dumps(text, ensure_ascii=False).replace("{", "\\u007b").replace("}", "\\u007d")
    return f"${{{{ {inside} }}}}"


def _joint(run: str) -> str:
    return "+" if "+" in run else "." if "." in run else "_"
