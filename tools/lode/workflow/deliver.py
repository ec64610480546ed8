"""Images of a release and where they go: a layout, a registry, SIF files, a root file system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lode.config import Places
from lode.errors import HostError, UsageError, VerificationError
from lode.installing.prefix import Prefix, is_prefix, read
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.publishing.oci import attach, copy, reference
from lode.publishing.oci import sif as apptainer
from lode.publishing.oci import unpack as unpacking
from lode.publishing.oci.compare import agree
from lode.publishing.oci.copy import Copied
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import Manifest, OciStore, oci
from lode.workflow import parts
from lode.workflow.image import FOLDER, Images, MadeImage, Making, make_images, runtimes
from lode.workflow.registry import Reach, reach, registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a registry was given."""

    names: tuple[str, ...]  # with tags
    copied: Copied

    def document(self) -> dict[str, Any]:
        """Return it as --json prints it."""
        return {
            "names": list(self.names),
            "digests": [f"sha256:{one.digest}" for one in self.copied.manifests],
            "blobs": self.copied.blobs,
            "moved": self.copied.moved,
            "moved_bytes": self.copied.moved_bytes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sif:
    """A SIF file that was made, or the command that makes it where Apptainer is."""

    path: Path
    argv: tuple[str, ...]
    made: bool

    def document(self) -> dict[str, Any]:
        """Return it as --json prints it."""
        return {"path": str(self.path), "command": list(self.argv), "made": self.made}


def images(
    stack: str,
    places: Places,
    *,
    targets: Sequence[str],
    groups: Sequence[str],
    layout: Path | None,
    making: Making,
    base: str | None,
    progress: Progress,
) -> Images:
    """Return the images of what `stack` names, in `layout` (default: that of the release).

    A stack's are those of all its groups too, unless `groups` names some; a prefix's folder is that one image.
    `base` is that of targets that `making` names none for; None: their runtime systems. HostError when this machine has
    not made one.
    """
    lock, wholes = parts.whole(stack, places, tuple(targets))
    names = [prefix.target for prefix in wholes]
    if base is None:
        unnamed = [target for target in names if target not in making.bases]
        making = replace(making, bases={**_runtimes(places, unnamed), **making.bases})
    else:
        making = replace(making, base=base)
    place = layout or wholes[0].root.parent.parent / FOLDER
    if groups or not is_prefix(Path(stack)):
        wholes = parts.with_groups(lock, wholes, groups, places=places, progress=progress)
    return make_images(lock, wholes, place, making=making, progress=progress)


def release_images(
    lock: Lock, wholes: Sequence[Prefix], folder: Path, *, places: Places, jobs: int, progress: Progress
) -> Images | None:
    """Return the images of a release, whole and of each group, put into its `folder`; those that are there are kept.

    `wholes` are its prefixes. A target without a runtime system on this machine gets none, which is noted; None when no
    target has one.
    """
    bases = runtimes(places, [prefix.target for prefix in wholes])
    for prefix in wholes:
        if prefix.target not in bases:
            progress.note(f"no image for {prefix.target}: `lode target build {prefix.target}` makes what it is put on")
    based = [prefix for prefix in wholes if prefix.target in bases]
    if not based:
        return None
    return _with_groups(lock, based, bases, folder, places=places, jobs=jobs, progress=progress)


def _with_groups(
    lock: Lock,
    wholes: Sequence[Prefix],
    bases: Mapping[str, str],
    folder: Path,
    *,
    places: Places,
    jobs: int,
    progress: Progress,
) -> Images:
    """Return the images of `wholes` and of each group of theirs, on `bases` by target, in the layout of a release."""
    prefixes = parts.with_groups(lock, wholes, (), places=places, progress=progress)
    making = Making(bases=bases, jobs=jobs)
    return make_images(lock, prefixes, folder / FOLDER, making=making, progress=progress)


def publish_release(
    lock: Lock,
    roots: Sequence[Path],
    folder: Path,
    *,
    places: Places,
    environ: Mapping[str, str],
    jobs: int,
    progress: Progress,
) -> tuple[Images, Pushed]:
    """Push the images of the prefixes at `roots` and of the stack's groups to the registry that the stack names.

    They are made where the release `folder` does not hold them yet.
    """
    wholes = tuple(read(root) for root in roots)
    bases = _runtimes(places, [prefix.target for prefix in wholes])
    made = _with_groups(lock, wholes, bases, folder, places=places, jobs=jobs, progress=progress)
    return made, push(made, "", reach(places, environ, jobs=max(jobs, 4)), progress=progress)


def push(made: Images, name: str, by: Reach, *, progress: Progress) -> Pushed:
    """Push all images and indexes, and what is attached to them, to the repository `name`.

    With a tag in the name, the one index gets that tag, and no other is given.

    An empty name is the registry that the stack's file names.
    """
    named = reference.parse(name or _own(made))
    tags = [(one.tag, one.tag) for one in made.images] + [(one.tag, one.tag) for one in made.indexes]
    if named.tag is not None:
        first = made.indexes[0]
        if len(made.indexes) > 1 and first.group is not None:
            raise UsageError(f"{named} is one tag for {len(made.indexes)} indexes", hint="leave the tag out")
        tags = [(first.tag, named.tag)]
    with registry(named, by) as there:
        layout, task = Layout(made.layout), f"push {named.repository}"
        copied = copy.copy(layout, there, tags, jobs=by.jobs, progress=progress, task=task)
        carry(layout, there, copied)
    return Pushed(names=tuple(f"{named.name}:{tag}" for _, tag in tags), copied=copied)


def pull(name: str, layout: Path, by: Reach, *, progress: Progress) -> Copied:
    """Pull an image, or an index with all its images, into the layout folder under its tag."""
    named = reference.parse(name)
    wanted = named.digest or named.tag or "latest"
    with registry(named, by) as there:
        here, task = Layout(layout), f"pull {named.repository}"
        copied = copy.copy(there, here, [(wanted, named.tag)], jobs=by.jobs, progress=progress, task=task)
        carry(there, here, copied)
    return copied


def carry(there: OciStore, here: OciStore, copied: Copied) -> None:
    """Copy the signatures and attestations of what was copied, and of what its indexes list."""
    wanted = {one.digest for one in copied.manifests}
    wanted |= {one.digest for made in copied.manifests for one in made.manifests()}
    for digest in sorted(wanted):
        attach.carry(there, here, digest)


def check(layout: Path, images: Sequence[Manifest], *, jobs: int, progress: Progress) -> None:
    """Raise VerificationError unless the tree in each image, or each that an index lists, is as its inventory says."""
    there = Layout(layout)
    for made in images:
        for one in [there.get_manifest(oci(each.digest)) for each in made.manifests()] if made.is_index else [made]:
            if one is None:
                raise VerificationError(f"the index {oci(made.digest)} lists an image that is not there")
            agree(there, one, scratch=layout, jobs=jobs, progress=progress)


def unpack(made: Images, folder: Path, *, progress: Progress) -> None:
    """Unpack the one image of the whole stack, or of the one group, to `folder`."""
    chosen = [one for one in made.images if one.group == made.images[0].group]
    if len(chosen) != 1:
        raise UsageError(
            f"a root file system is of one target, and there are {len(chosen)}", hint="choose one with --target"
        )
    unpacking.unpack(Layout(made.layout), chosen[0].manifest, folder, progress=progress)


def sif(made: Images, one: MadeImage, environ: Mapping[str, str], *, progress: Progress) -> Sif:
    """Return the SIF file of an image, made beside the layout when Apptainer is in the search path of `environ`."""
    program = apptainer.find(environ.get("PATH", ""))
    name = f"{one.manifest.document['annotations']['lode.stack']}-{one.tag}.sif"
    path = made.layout.parent / name
    argv = apptainer.command(program or "apptainer", apptainer.single(Layout(made.layout), one.manifest, one.tag), path)
    if program is not None:
        apptainer.build(argv, path, environ=environ, progress=progress)
    return Sif(path=path, argv=argv, made=program is not None)


def _runtimes(places: Places, targets: Sequence[str]) -> dict[str, str]:
    bases = runtimes(places, targets)
    for target in targets:
        if target not in bases:
            raise HostError(
                f"there is no runtime of {target} on this machine to put images on",
                hint=f"`lode target build {target}` makes it; or name another with --base",
            )
    return bases


def _own(made: Images) -> str:
    if made.registry is None:
        raise UsageError(
            "the stack names no registry", hint="--push REF, or `publish: {registry: …}` in the stack's file"
        )
    return made.registry
