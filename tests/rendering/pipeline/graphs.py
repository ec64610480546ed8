"""Locks of any shape, for the tests of pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.locking.sample import sample_lock, sample_node

from lode.definitions.recipe import Kind
from lode.locking.graph import Edge, Lock, Node
from lode.rendering.pipeline import Limits, Pipeline, Site
from lode.rendering.pipeline.plan import Estimate, plan

T = "debian12-x86_64"
DRAWN = Limits(minutes=60, disk_mb=12000, cores=4)


def lock(edges: Mapping[str, tuple[str, ...]], *targets: str) -> Lock:
    """Return a lock with a node for each key of `edges`, linked with the packages it maps to."""
    names = targets or (T,)
    nodes = tuple(
        sample_node(
            name,
            tuple(Edge(package=other, kinds=(Kind.LINK,), targets=names, constraint="") for other in sorted(needed)),
            names,
        )
        for name, needed in sorted(edges.items())
    )
    return replace(sample_lock(*names), nodes=nodes)


def drawn(
    edges: Mapping[str, tuple[str, ...]],
    seconds: Mapping[str, float],
    *targets: str,
    limits: Limits = DRAWN,
    policy: str | None = None,
) -> Pipeline:
    """Return the pipeline of such a lock whose nodes take `seconds` of CPU time; 60 where none are told."""

    def estimate(node: Node, target: str) -> Estimate:
        return Estimate(cpu_s=seconds.get(node.package, 60.0), disk_mb=100, guessed=node.package not in seconds)

    return plan(lock(edges, *targets), estimate, limits=limits, policy=policy)


SITE = Site()
