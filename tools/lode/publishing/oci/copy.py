"""Copying images between stores: blobs in parallel, nothing twice, the manifest last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from lode.errors import VerificationError
from lode.progress import Progress
from lode.publishing.oci.store import Descriptor, Manifest, OciStore, oci


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy moved."""

    manifests: tuple[Manifest, ...]  # in the order of the references
    blobs: int  # that they name, each once
    moved: int  # that were not there
    moved_bytes: int


def copy(
    there: OciStore,
    here: OciStore,
    references: Sequence[tuple[str, str | None]],
    *,
    jobs: int,
    progress: Progress,
    task: str,
) -> Copied:
    """Copy what each reference names, with all that an index lists, and give it the tag beside it.

    Blobs go first, then manifests, tags in the order given: a copy that is broken off leaves no tag that names what is
    not whole, and is gone on with by calling again. VerificationError when something is not there, or not what its
    digest says.
    """
    images = [_image(there, reference) for reference, _ in references]
    wanted = {blob.digest: blob for made, held in images for one in (made, *held) for blob in one.blobs()}
    progress.start(task, total=sum(blob.size for blob in wanted.values()), unit="B")
    try:
        moved = _blobs(there, here, tuple(wanted.values()), jobs, lambda amount: progress.advance(task, amount))
        for (_, tag), (made, held) in zip(references, images, strict=True):
            for one in held:
                here.put_manifest(one)
            here.put_manifest(made, tag)
    except BaseException:
        progress.finish(task, "failed")
        raise
    progress.finish(task)
    return Copied(
        manifests=tuple(made for made, _ in images),
        blobs=len(wanted),
        moved=len(moved),
        moved_bytes=sum(blob.size for blob in moved),
    )


def _image(there: OciStore, reference: str) -> tuple[Manifest, tuple[Manifest, ...]]:
    """Return what `reference` names and, of an index, what it lists."""
    made = there.get_manifest(reference)
    if made is None:
        raise VerificationError(f"there is no image {reference}")
    held = []
    for one in made.manifests():
        found = there.get_manifest(oci(one.digest))
        if found is None:
            raise VerificationError(f"the index {reference} lists {oci(one.digest)}, which is not there")
        held.append(found)
    return made, tuple(held)


def _blobs(
    there: OciStore, here: OciStore, blobs: Sequence[Descriptor], jobs: int, heard: Callable[[int], None]
) -> list[Descriptor]:
    """Copy blobs, the largest begun first, and return those that were not there; the first error stops the others."""

    def one(blob: Descriptor) -> bool:
        new = copy_blob(there, here, blob, heard)
        if not new:
            heard(blob.size)
        return new

    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="blob") as pool:
        begun = {pool.submit(one, blob): blob for blob in sorted(blobs, key=lambda blob: -blob.size)}
        try:
            return [begun[done] for done in as_completed(begun) if done.result()]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def copy_blob(there: OciStore, here: OciStore, blob: Descriptor, heard: Callable[[int], None] = lambda _: None) -> bool:
    """Copy one blob unless it is there; return whether it was not. `heard` is told of bytes as they move."""

    def source(offset: int) -> Iterator[bytes]:
        for piece in there.get_blob(blob.digest, offset):
            heard(len(piece))
            yield piece

    return here.put_blob(blob, source)
