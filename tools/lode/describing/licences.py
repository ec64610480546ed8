"""Under which licences a release stands, and what of it may not be handed on."""

from __future__ import annotations

from lode.locking.graph import Lock, Node


def by_licence(lock: Lock) -> tuple[tuple[str, tuple[Node, ...]], ...]:
    """Return the packages under each licence expression, the most used first, then by expression."""
    groups: dict[str, list[Node]] = {}
    for node in lock.nodes:
        groups.setdefault(node.license, []).append(node)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple((licence, tuple(nodes)) for licence, nodes in ordered)


def kept_back(lock: Lock) -> tuple[Node, ...]:
    """Return the packages that may not be redistributed, by name."""
    return tuple(node for node in lock.nodes if not node.redistributable)


def text(lock: Lock) -> str:
    """Return the licences as plain text: a section a licence, and a warning for what may not be redistributed."""
    parts = [f"{lock.stack} {lock.release}: the licences of its packages, as SPDX expressions.\n"]
    refused = kept_back(lock)
    if refused:
        names = "".join(f"  {node.package} {node.version} ({node.license})\n" for node in refused)
        parts.append(f"These may not be redistributed; they stay out of published images and trees:\n{names}")
    for licence, nodes in by_licence(lock):
        names = "".join(f"  {node.package} {node.version}  {node.homepage}\n" for node in nodes)
        parts.append(f"{licence}\n{names}")
    return "\n".join(parts)
