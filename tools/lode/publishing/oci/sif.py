"""SIF, the image file of Apptainer, made by Apptainer itself from a layout."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from lode import process, scratch
from lode.digest import Digest
from lode.errors import PublicationError
from lode.progress import Progress
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import Manifest

_FOLDER = ".single"  # of a layout: layouts of one image each, which is what Apptainer takes


def find(search_path: str) -> str | None:
    """Return the path of Apptainer, or of Singularity, None when this machine has neither."""
    return shutil.which("apptainer", path=search_path) or shutil.which("singularity", path=search_path)


def single(layout: Layout, manifest: Manifest, tag: str) -> Path:
    """Return a layout folder that holds this image alone, its blobs linked to those of `layout`."""
    place = Layout(layout.root / _FOLDER / tag)
    shutil.rmtree(place.root, ignore_errors=True)
    for blob in (*manifest.blobs(), manifest.descriptor):
        _link(layout, place, blob.digest)
    place.put_manifest(manifest, tag)
    return place.root


def command(program: str, single_layout: Path, output: Path) -> tuple[str, ...]:
    """Return the command that makes the SIF file `output`."""
    return (program, "build", "--force", str(output), f"oci:{single_layout.absolute()}")


def build(argv: tuple[str, ...], output: Path, *, environ: Mapping[str, str], progress: Progress) -> None:
    """Run the command; PublicationError with its last words when it fails. What was at `output` is replaced at once."""
    task = f"sif {output.name}"
    progress.start(task)
    with scratch.folder("sif", output.parent) as folder:
        new = folder / output.name
        made = process.run([*argv[:-2], str(new), argv[-1]], env=environ)
        if made.status != 0 or not new.is_file():
            progress.finish(task, "failed")
            words = (made.stderr or made.stdout).strip().splitlines() or [f"status {made.status}"]
            raise PublicationError(f"{Path(argv[0]).name} could not make {output}: {words[-1]}")
        os.replace(new, output)
    progress.finish(task)


def _link(layout: Layout, place: Layout, digest: Digest) -> None:
    target = place.path(digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(layout.path(digest), target)
