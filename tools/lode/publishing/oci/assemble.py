"""Making the image of a prefix in a layout: its files at the path they are made for, in layers by package."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from lode import inventory
from lode.digest import Digest
from lode.errors import VerificationError
from lode.installing import activation
from lode.installing import prefix as prefixes
from lode.installing.prefix import Prefix
from lode.installing.select import selected
from lode.inventory import Entry, EntryType
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.publishing.oci import cut, image, keep, layer, packages, store
from lode.publishing.oci.compression import Method
from lode.publishing.oci.cut import REST, Part, Spool
from lode.publishing.oci.image import ARCHITECTURES, Base, Content
from lode.publishing.oci.layer import Layer
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import Descriptor, Manifest

MOST_LAYERS = 100  # engines stop at 127; some registries and kernels before
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EMPTY_FOLDERS = {"dev": 0o755, "proc": 0o755, "sys": 0o755, "tmp": 0o1777, "var": 0o755, "var/tmp": 0o1777}


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that lies in a layout, without a tag yet."""

    prefix: Prefix
    manifest: Manifest
    config: Descriptor
    layers: tuple[Descriptor, ...]  # of the prefix, not of the base
    written: int  # bytes of layers that were not in the layout before
    platform: Mapping[str, str]


def assemble(
    layout: Layout,
    prefix: Prefix,
    lock: Lock,
    *,
    base: Base,
    epoch_s: int,
    method: Method,
    jobs: int,
    progress: Progress,
) -> Image:
    """Return the image of `prefix` on `base`, whose blobs are in `layout` already; its own are written where missing.

    `epoch_s` is the time that everything in it has. VerificationError when the prefix is not what its inventory says.
    """
    order = [node.package for node in selected(lock, prefix.target, prefix.group)]
    laid = lay(
        layout,
        prefix,
        order=order,
        room=MOST_LAYERS - len(base.layers),
        epoch_s=epoch_s,
        method=method,
        jobs=jobs,
        progress=progress,
    )
    names = [_what(part, packages.versions(prefix.root)) for part in laid.parts]
    content = _content(prefix, lock, base, laid.layers, names)
    config = store.put_bytes(layout, image.configuration(content, base), store.CONFIG)
    made = image.manifest(content, base, config)
    layout.put_blob(made.descriptor, lambda offset: iter([made.content[offset:]]))
    platform = {"architecture": content.architecture, "os": "linux"}
    return Image(
        prefix=prefix,
        manifest=made,
        config=config,
        layers=content.layers,
        written=laid.written,
        platform=platform | ({"os.version": content.os_version} if content.os_version else {}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """The layers of a prefix, as they lie in a layout."""

    layers: tuple[Layer, ...]  # the first is of the folders that the tree lies in and that engines mount on
    parts: tuple[Part, ...]  # what is in the others
    written: int  # bytes that were not there before


def lay(
    layout: Layout,
    prefix: Prefix,
    *,
    order: Sequence[str],
    room: int,
    epoch_s: int,
    method: Method,
    jobs: int,
    progress: Progress,
) -> Laid:
    """Return at most `room` layers of `prefix`, its packages in the `order` given; those that are there are kept."""
    layout.sweep()
    at = bytes(PurePosixPath(prefix.final_path.lstrip("/")))
    written: list[int] = []

    def laid(entries: Callable[[], Iterable[Entry]], where: bytes, advance: Callable[[int], None]) -> Layer:
        name = keep.key(entries(), where, epoch_s, method)
        found = keep.find(layout, name)
        if found is None:
            found = layer.write(layout, entries(), prefix.root, at=where, mtime=epoch_s, method=method, advance=advance)
            keep.remember(layout, name, found)
            written.append(found.blob.size)
        return found

    task = f"image {prefix.stack}@{prefix.release} {prefix.target}" + (f" {prefix.group}" if prefix.group else "")
    with Spool(layout.root) as spooled:
        cut.spool(_entries(prefix), packages.owned(prefix.root), spooled)
        progress.start(task, total=sum(spooled.sizes.values()), unit="B")

        def of_part(part: Part) -> Layer:
            return laid(lambda: spooled.entries(part.packages), at, lambda read: progress.advance(task, read))

        try:
            ground = laid(lambda: _ground(PurePosixPath(os.fsdecode(at))), b"", lambda _: None)
            found = cut.parts(spooled.sizes, order, room - 1)
            layers = _in_parallel(of_part, found, jobs)
        except BaseException:
            progress.finish(task, "failed")
            raise
        progress.finish(task)
    return Laid(layers=(ground, *layers), parts=found, written=sum(written))


def labels(prefix: Prefix, lock: Lock, created: str) -> dict[str, str]:
    """Return the labels of a prefix's image, which are the annotations of its manifest too."""
    name = prefix.stack if prefix.group is None else f"{prefix.stack}-{prefix.group}"
    found = {
        **stack_labels(lock, prefix.group, created),
        "lode.target": prefix.target,
        "lode.prefix": prefix.final_path,
        "lode.inventory": store.oci(prefix.inventory),
        "opensciencegrid.name": f"{name} {prefix.release}",
        "opensciencegrid.description": lock.summary,
    }
    return dict(sorted(found.items()))


def stack_labels(lock: Lock, group: str | None, created: str) -> dict[str, str]:
    """Return the annotations that all images of a stack, or of a group of it, share with their index."""
    found = {
        "org.opencontainers.image.title": lock.stack if group is None else f"{lock.stack}-{group}",
        "org.opencontainers.image.version": lock.release,
        "org.opencontainers.image.description": lock.summary,
        "org.opencontainers.image.created": created,
        "lode.stack": lock.stack,
        "lode.release": lock.release,
        "lode.lock": store.oci(lock.digest),
    }
    return dict(sorted((found | ({"lode.group": group} if group else {})).items()))


def entrypoint(prefix: Prefix) -> tuple[str, ...]:
    """Return the command that activates the prefix and then is the command it is given."""
    return ("/bin/sh", "-c", f'. {prefix.final_path}/setup.sh && exec "$@"', "lode")


def _content(prefix: Prefix, lock: Lock, base: Base, layers: Sequence[Layer], names: Sequence[str]) -> Content:
    target = lock.target(prefix.target).definition
    created = f"{lock.date}T00:00:00Z"
    inherited = {"PATH": SEARCH_PATH, **image.environment(base.config)}
    changes = activation.activation(lock, prefix.target, prefix.group, prefix.final_path)
    blobs = [
        replace(one.blob, annotations={"lode.packages": name}) for one, name in zip(layers, ["", *names], strict=True)
    ]
    return Content(
        created=created,
        architecture=ARCHITECTURES.get(target.arch, target.arch),
        os_version=target.os_version,
        environment=activation.activated(changes, prefix.final_path, inherited),
        entrypoint=entrypoint(prefix) if base.layers else (),
        command=("/bin/sh",),
        labels=labels(prefix, lock, created),
        layers=(replace(blobs[0], annotations={}), *blobs[1:]),
        diff_ids=tuple(one.diff_id for one in layers),
        history=("lode: folders", *(f"lode: {name}" for name in names)),
    )


def _what(part: Part, versions: Mapping[str, str]) -> str:
    if part.packages == (REST,):
        return "activation, tests, lock and inventory"
    return ", ".join(f"{package} {versions[package]}" for package in part.packages)


def _in_parallel(make: Callable[[Part], Layer], found: Sequence[Part], jobs: int) -> list[Layer]:
    """Return the layer of each part, the largest begun first."""
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="layer") as pool:
        begun = {part: pool.submit(make, part) for part in sorted(found, key=lambda part: -part.size)}
        try:
            return [begun[part].result() for part in found]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _ground(at: PurePosixPath) -> Iterable[Entry]:
    """Return the folders that the tree lies in, and those that engines mount on."""
    modes = {**EMPTY_FOLDERS, **{str(folder): 0o755 for folder in (at, *at.parents) if folder.name}}
    for path in sorted(modes, key=str.encode):
        yield Entry(path=path, type=EntryType.DIRECTORY, mode=modes[path], size=0, content="")


def _entries(prefix: Prefix) -> Iterable[Entry]:
    """Yield the entries of the tree in order, the inventory itself among them; VerificationError if it changed."""
    file = prefix.root / prefixes.INVENTORY
    with file.open("rb") as opened:
        digest = Digest(hashlib.file_digest(opened, "sha256").hexdigest())
    if digest != prefix.inventory:
        raise VerificationError(f"{file} is not the inventory {prefix.inventory}", hint="install the prefix again")
    own = Entry(path=prefixes.INVENTORY, type=EntryType.FILE, mode=0o644, size=file.stat().st_size, content=digest)
    waiting: Entry | None = own
    for entry in inventory.read(file):
        if waiting is not None and entry.path.encode("utf-8", "surrogateescape") > waiting.path.encode():
            yield waiting
            waiting = None
        yield entry
    if waiting is not None:
        yield waiting
