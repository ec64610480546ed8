"""One node on one target as words of sh that the context's program `build` understands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lode.definitions.target import Target
from lode.locking.graph import Node, dependencies
from lode.rendering import mirror, patches
from lode.rendering.environments import Installed, present
from lode.rendering.quoting import shell
from lode.rendering.weakening import Weakening

_TOKEN = re.compile(r"[ \t]+|#[^\n]*|(?P<end>\n)|(?P<word>(?:[A-Za-z0-9_@%+=:,./-]+|'[^']*'|\\')+)")


def words(node: Node, target: Target, installed: Installed, order: Sequence[Node]) -> str:
    """Return the lines that say what the node is, what it needs, and how its sources are laid out."""
    lines = [
        ("package", node.package, node.version),
        ("needs", *dependencies(node, target.name)),
        ("present", *(other.package for other in present(node, installed, order))),
    ]
    for source in node.sources:
        if target.name in source.targets:
            lines.append(("from_mirror", str(source.sha256), mirror.relative_path(source)))
            lines += [("from_address", address) for address in mirror.addresses(source)]
            if source.unpack:
                lines.append(("unpack", source.directory, source.subdirectory))
            else:
                lines.append(("place", source.directory, source.filename))
    for number, patch in enumerate(patches.on(node, target.name), 1):
        lines.append(("apply", str(patch.strip), f"{number}.patch"))
    return "".join(f"{' '.join(map(shell, line))}\n" for line in lines)


def read(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the lines of such a text as their words; ValueError when it is anything else."""
    line: list[str] = []
    end = 0
    while end < len(text):
        match = _TOKEN.match(text, end)
        if match is None:
            raise ValueError(f"no word at character {end}")
        end = match.end()
        if match["word"] is not None:
            line.append(re.sub(r"'([^']*)'|\\(')", lambda part: part[1] or part[2] or "", match["word"]))
        elif match["end"] and line:
            yield tuple(line)
            line = []
    if line:
        raise ValueError("the last line is not ended")


def lost(node: Node, target: Target) -> Iterator[Weakening]:
    """Yield what is said less exactly of the node."""
    said = [mirror.alone(source) for source in node.sources if not mirror.addresses(source)]
    if any(target.name in test.targets for test in node.tests):
        said.append("its tests are left out")
    if node.build.memory_mb:
        said.append(f"that a compiler takes {node.build.memory_mb} MB is not said")
    if node.provider == "upstream":
        said.append("it is built from its recipe here, although the stack leaves it to others")
    yield from (Weakening(package=node.package, what=what) for what in said)
