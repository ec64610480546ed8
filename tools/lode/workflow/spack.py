"""From a lock to a tree that Spack built of it: rendered, concretized, compared with the lock, installed, recorded."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lode import inventory, tree
from lode.building import spack_lock
from lode.building.seal import best
from lode.building.spack import Shop, Spack, find, refuse_unpinned
from lode.config import Places
from lode.definitions.catalogue import Catalogue
from lode.digest import Digest
from lode.errors import BuildError, Fault, HostError, SourceError
from lode.locking.graph import BUILDING, Lock, Node, build_order, closure
from lode.progress import Progress
from lode.rendering import names
from lode.rendering.spack import render
from lode.rendering.spack.words import Words
from lode.sourcing.access import Access
from lode.sourcing.mirror import Mirror
from lode.workflow.lock import files
from lode.workflow.render import reachable

RECORD = "spack-build.json"
_KIND, _VERSION = "lode-spack-build", 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How to build with Spack: what a user may choose."""

    jobs: int
    only: tuple[str, ...] = ()
    keep_work: bool = False
    offline: bool = False
    tests: bool = False  # run the recipes' tests too
    any_spack: bool = False  # of whatever commit
    packages: Path | None = None  # a checkout of spack-packages
    cache: Path | None = None  # a build cache to push to
    key: str | None = None  # that signs the build cache; None: the only one that GPG has
    access: Access | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A node as Spack built it."""

    package: str
    version: str
    spack_hash: str
    path: Path  # its own prefix, on this host
    inventory: Digest  # of that without Spack's own notes, which carry times
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpackReport:
    """What Spack built, and where the record of it is."""

    stack: str
    release: str
    target: str
    spack: str  # version and commit
    nodes: tuple[Installed, ...]  # in build order
    folder: Path  # spack.lock, spack.yaml and the record
    spack_lock: Digest
    tree: Path
    prefix: str  # where the tree is used
    seal: str
    seal_reason: str
    wall_s: float


def build(
    lock: Lock,
    catalogue: Catalogue,
    target: str,
    *,
    places: Places,
    choice: Choice,
    environ: Mapping[str, str],
    progress: Progress,
) -> SpackReport:
    """Return what Spack built of the lock's nodes on `target`, each as the lock has it.

    HostError without a Spack that fits the pins; SourceError if a source cannot be had; BuildError that names all that
    Spack chose otherwise than the lock, or what it could not build.
    """
    started = time.monotonic()
    from lode.workflow import doctor

    catalogue = catalogue.behind(lock.stack, lock.release)
    wanted = closure(lock, choice.only, target, BUILDING) if choice.only else build_order(lock, target)
    spack = find(environ, packages=choice.packages)
    if not choice.any_spack:
        refuse_unpinned(spack, lock.pins)
    doctor.require(lock.target(target).definition, cache=places.cache, environ=environ)
    if choice.cache is not None and not Path(environ.get("SPACK_GNUPGHOME", "/nowhere")).is_dir():
        raise HostError(
            "SPACK_GNUPGHOME names no folder with the key that signs the build cache",
            hint="spack gpg create NAME MAIL makes one there",
        )
    words, shop = _shop(lock, catalogue, target, spack, places=places, choice=choice, progress=progress)
    shop.concretize()
    chosen = spack_lock.read(shop.lock_file)
    _refuse_different(lock, target, chosen, words)
    hashes = {node.package: spack_lock.of_node(node, chosen, words).hash for node in wanted}
    _fetch(lock, catalogue, target, wanted, shop, places=places, choice=choice, progress=progress)
    asked = [hashes[name] for name in choice.only] or list(hashes.values())
    title = f"build {lock.stack}@{lock.release} with Spack"
    total = sum(not chosen[key].external for key in spack_lock.below(asked, chosen))
    progress.start(title, total=total, unit="packages")
    outcome = "failed"
    try:
        shop.install(asked, keep_stage=choice.keep_work)
        outcome = "done"
    finally:
        progress.finish(title, outcome)
    if choice.tests:
        shop.test([hashes[node.package] for node in wanted])
    nodes = _installed(wanted, hashes, shop)
    if choice.cache is not None:
        shop.push(asked, choice.cache, Path(environ["SPACK_GNUPGHOME"]), choice.key)
    folder = places.releases / lock.stack / lock.release / "spack" / target
    record = _record(lock, shop, nodes, choice)
    for name in ("spack.lock", "spack.yaml"):
        tree.replace(folder / name, (shop.lock_file.parent / name).read_bytes())
    tree.replace(folder / RECORD, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
    return SpackReport(
        stack=lock.stack,
        release=lock.release,
        target=target,
        spack=f"{spack.version} {spack.commit}".strip(),
        nodes=nodes,
        folder=folder,
        spack_lock=Digest(record["fields"]["spack_lock"]),
        tree=shop.folder / "tree",
        prefix=shop.prefix,
        seal=shop.seal.kind,
        seal_reason=shop.seal.reason,
        wall_s=time.monotonic() - started,
    )


def _shop(
    lock: Lock,
    catalogue: Catalogue,
    target: str,
    spack: Spack,
    *,
    places: Places,
    choice: Choice,
    progress: Progress,
) -> tuple[Words, Shop]:
    """Return the folder to build in, with the rendered environment in it, and the words that it was rendered with."""
    recipes = reachable(catalogue, lock)
    stack = catalogue.stack(f"{lock.stack}@{lock.release}")
    rendering = render(lock, recipes=recipes, file=files(catalogue, stack))
    namespace = f"lode.{names.module_name(lock.collections[0][0])}"
    seal = best()
    if seal.kind == "none":
        progress.note(f"warning: Spack is not sealed and builds in the cache, not at the final path: {seal.reason}")
    folder = places.cache / "spack" / f"{lock.stack}-{lock.release}-{target}-{lock.digest[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    places.mirror.mkdir(parents=True, exist_ok=True)
    shop = Shop(
        spack=spack,
        seal=seal,
        folder=folder.absolute(),
        target=target,
        final_path=lock.final_path(target),
        namespace=namespace,
        mirror=places.mirror.absolute(),
        user=(places.cache / "spack/user").absolute(),
        jobs=choice.jobs,
        log=places.cache / "logs" / f"spack-{lock.stack}-{lock.release}-{target}.log",
        on_line=_Watch(progress, f"build {lock.stack}@{lock.release} with Spack").line,
    )
    shop.lay_out(rendering.tree)
    return Words(lock=lock, recipes=recipes, namespace=namespace), shop


class _Watch:
    """Tells from what Spack says which package it is at."""

    def __init__(self, progress: Progress, task: str) -> None:
        self._progress = progress
        self._task = task

    def line(self, text: str) -> None:
        """Look at one more line."""
        if text.startswith("==> Installing "):
            self._progress.step(self._task, text.removeprefix("==> Installing ").split(" ")[0].rsplit("-", 1)[0])
        elif "Successfully installed" in text:
            self._progress.advance(self._task, 1)


def _refuse_different(lock: Lock, target: str, chosen: Mapping[str, spack_lock.Chosen], words: Words) -> None:
    found = spack_lock.differences(lock, target, chosen, words)
    if found:
        hint = "the recipes of both must say the same; `lode render --to spack` shows what Spack was told"
        raise BuildError.of([Fault(message=one, hint=hint if one == found[-1] else None) for one in found])


def _fetch(
    lock: Lock,
    catalogue: Catalogue,
    target: str,
    wanted: Sequence[Node],
    shop: Shop,
    *,
    places: Places,
    choice: Choice,
    progress: Progress,
) -> None:
    """Bring the sources into the mirror: the stack's by Lode, those of Spack's own packages by Spack."""
    from lode.sourcing.fetch import fetch

    fetch(
        lock,
        Mirror(places.mirror),
        targets=(target,),
        packages=[node.package for node in wanted if node.provider == "lode"],
        recipe_file=catalogue.recipe_file,
        progress=progress,
        offline=choice.offline,
        access=choice.access,
    )
    lacking = _lacking(shop, places.mirror)
    if lacking and not choice.offline:
        shop.fetch([key for key, one in spack_lock.read(shop.lock_file).items() if _spacks_own(one)])
        lacking = _lacking(shop, places.mirror)
    if lacking:
        raise SourceError.of(
            [
                Fault(
                    message=f"{name} (sha256 {sha256}), which Spack needs, is not in the mirror {places.mirror}",
                    hint=f"put it there as _source-cache/archive/{sha256[:2]}/{sha256} with its extension, or fetch "
                    "with the network",
                )
                for name, sha256 in lacking
            ]
        )


def _spacks_own(one: spack_lock.Chosen) -> bool:
    return one.namespace == "builtin" and not one.external


def _lacking(shop: Shop, mirror: Path) -> tuple[tuple[str, str], ...]:
    def there(sha256: str) -> bool:
        folder = mirror / "_source-cache/archive" / sha256[:2]
        return folder.is_dir() and any(file.is_file() for file in folder.glob(f"{sha256}*"))

    return tuple((name, sha256) for name, sha256 in shop.sources() if not there(sha256))


def _installed(wanted: Sequence[Node], hashes: Mapping[str, str], shop: Shop) -> tuple[Installed, ...]:
    prefixes = shop.prefixes()
    found: list[Installed] = []
    for node in wanted:
        path = prefixes.get(hashes[node.package])
        if path is None or not path.is_dir():
            raise BuildError(f"{node.package}: Spack says that it built it, but nothing is installed")
        entries = list(inventory.scan(path, exclude={".spack"}))
        found.append(
            Installed(
                package=node.package,
                version=node.version,
                spack_hash=hashes[node.package],
                path=path,
                inventory=inventory.digest(entries),
                size_bytes=sum(entry.size for entry in entries),
            )
        )
    return tuple(found)


def _record(lock: Lock, shop: Shop, nodes: Sequence[Installed], choice: Choice) -> dict[str, Any]:
    return {
        "kind": _KIND,
        "version": _VERSION,
        "fields": {
            "stack": lock.stack,
            "release": lock.release,
            "target": shop.target,
            "lode_lock": lock.digest,
            "spack_lock": hashlib.sha256(shop.lock_file.read_bytes()).hexdigest(),
            "spack": {"version": shop.spack.version, "commit": shop.spack.commit},
            "spack_packages": {"commit": shop.spack.packages_commit},
            "any_spack": choice.any_spack,
            "prefix": shop.prefix,
            "seal": shop.seal.kind,
            "tested": choice.tests,
            "nodes": [
                {
                    "package": node.package,
                    "version": node.version,
                    "spack_hash": node.spack_hash,
                    "path": str(node.path.relative_to(shop.folder / "tree")),
                    "inventory": node.inventory,
                    "size_bytes": node.size_bytes,
                }
                for node in nodes
            ],
        },
    }
