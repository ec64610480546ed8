"""`lode image`: OCI images of a release, pushed to a registry, as SIF files or as root file systems."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from lode.cli.common import Session, common
from lode.errors import UsageError
from lode.progress import Progress
from lode.workflow import deliver
from lode.workflow.image import Images, Making
from lode.workflow.registry import Reach, reach


@click.command()
@click.argument("stack", metavar="[STACK|FOLDER]", required=False)
@click.option("--target", "targets", multiple=True, metavar="TARGET",
              help="Only this target; default: all that were released here. Repeatable.")  # fmt: skip
@click.option("--group", "groups", multiple=True, metavar="GROUP",
              help="Only this group; default: the whole stack, and each group of it. Repeatable.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="LAYOUT",
              help="The OCI layout to write; default: images/ of the release.")  # fmt: skip
@click.option("--base", "bases", multiple=True, metavar="[TARGET=]BASE",
              help="What the images are put on: a root file system's folder, an OCI layout, docker://IMAGE, or "
              "`scratch`; default: the target's runtime, made by `lode target build`.")  # fmt: skip
@click.option("--compression", type=click.Choice(["gzip", "zstd"]), default="gzip", show_default=True,
              help="Of the layers. Docker before 23 takes gzip only.")  # fmt: skip
@click.option("--push", is_flag=False, flag_value="", metavar="[REF]",
              help="Push to this repository; alone: to the stack's own (publish: registry). "
              "With a tag: the index gets it.")  # fmt: skip
@click.option("--pull", metavar="REF", help="Instead of making images, pull one into the layout.")
@click.option("--check", is_flag=True, help="Read every layer and compare the tree in it with its inventory.")
@click.option("--mount-from", multiple=True, metavar="REPOSITORY",
              help="A repository of the same registry that may have the layers already. Repeatable.")  # fmt: skip
@click.option("--plain-http", is_flag=True, help="Talk to the registry without TLS.")
@click.option("--sif", is_flag=True, help="Make a SIF file of each image, with Apptainer where it is installed.")
@click.option("--rootfs", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Unpack the image's root file system there; for one target.")  # fmt: skip
@click.option("--builder", type=click.Choice(["lode", "docker"]), default="lode", show_default=True,
              help="docker: a container engine builds it again from a Containerfile; for one target.")  # fmt: skip
@click.option("-j", "--jobs", type=click.IntRange(1, 64), metavar="N", help="Layers at once; default: the CPUs.")
@common
def command(
    session: Session,
    stack: str | None,
    targets: tuple[str, ...],
    groups: tuple[str, ...],
    output: Path | None,
    bases: tuple[str, ...],
    compression: str,
    push: str | None,
    pull: str | None,
    check: bool,
    mount_from: tuple[str, ...],
    plain_http: bool,
    sif: bool,
    rootfs: Path | None,
    builder: str,
    jobs: int | None,
) -> None:
    """Make the OCI images of a released STACK: one for each target and group, and an index over the targets.

    The images hold the very tree of the release at the path that it has on CVMFS. They are written to an OCI layout,
    without a daemon; the same lock gives the same digests anywhere. A layer holds one package, so that pushing a
    release with one new package moves that package.

    \b
    Examples:
      lode image dance-mini
      lode image dance-mini --group analysis --push ghcr.io/dance/mini
      lode image dance-mini --target debian12-x86_64 --sif
      lode image --pull ghcr.io/dance/mini:2026.11 -o mini-layout
    """  # noqa: D301 - \b is click's
    count = jobs or len(os.sched_getaffinity(0))
    by = reach(
        session.places, os.environ, plain=True if plain_http else None, jobs=max(count, 4), mount_from=mount_from
    )
    progress = session.progress()
    if pull is not None:
        if stack is not None or output is None:
            raise UsageError("--pull takes an image into a layout", hint="lode image --pull REF -o LAYOUT")
        pulled = deliver.pull(pull, output.absolute(), by, progress=progress)
        if check:
            deliver.check(output.absolute(), pulled.manifests, jobs=count, progress=progress)
        document = {
            "layout": str(output),
            "digest": f"sha256:{pulled.manifests[0].digest}",
            "moved": pulled.moved_bytes,
        }
        session.emit(document, f"{pull} is in {output}: sha256:{pulled.manifests[0].digest}")
        return
    if stack is None:
        raise UsageError("no stack is named", hint="`lode image --help` says what it takes")
    if builder == "docker":
        _docker(session, stack, targets, _for_all(bases), count)
        return
    made = deliver.images(
        stack,
        session.places,
        targets=targets,
        groups=groups,
        layout=output.absolute() if output else None,
        making=_making(bases, compression, count, by),
        base=_for_all(bases),
        progress=progress,
    )
    document, lines = made.document(), _lines(made)
    if check:
        deliver.check(made.layout, [one.manifest for one in made.images], jobs=count, progress=progress)
        lines.append("  checked    every file of every layer is what the inventory lists")
    if rootfs is not None:
        deliver.unpack(made, rootfs.absolute(), progress=progress)
        lines.append(f"  unpacked   {rootfs}")
    if sif:
        files = [_sif(made, number, progress) for number in range(len(made.images))]
        document["sif"] = [file.document() for file in files]
        lines += [line for file in files for line in _sif_lines(file)]
    if push is not None:
        pushed = deliver.push(made, push, by, progress=progress)
        document["pushed"] = pushed.document()
        lines += [f"  pushed     {name}" for name in pushed.names]
        lines.append(
            f"  moved      {pushed.copied.moved_bytes:,} bytes, {pushed.copied.moved} of {pushed.copied.blobs} blobs"
        )
    session.emit(document, "\n".join(lines))


def _docker(session: Session, stack: str, targets: tuple[str, ...], base: str | None, jobs: int) -> None:
    from lode.definitions.catalogue import Catalogue
    from lode.workflow import docker_image

    if len(targets) > 1:
        raise UsageError("an engine builds for one target at a time", hint="name one with --target")
    made = docker_image.build(
        Catalogue.open(session.collections, here=session.here),
        stack,
        target=targets[0] if targets else None,
        base=base,
        places=session.places,
        environ=os.environ,
        jobs=jobs,
        progress=session.progress(),
    )
    session.emit(made.document(), f"{made.engine} has {made.name}: {made.identifier}")


def _making(bases: tuple[str, ...], compression: str, jobs: int, by: Reach) -> Making:
    named = dict(text.split("=", 1) for text in bases if _names_target(text))
    return Making(bases=named, compression=compression, jobs=jobs, reach=by)


def _for_all(bases: tuple[str, ...]) -> str | None:
    others = [text for text in bases if not _names_target(text)]
    if len(others) > 1:
        raise UsageError("--base is given twice for all targets", hint="--base TARGET=BASE is for one")
    return others[0] if others else None


def _names_target(base: str) -> bool:
    return "=" in base and "/" not in base.partition("=")[0]


def _sif(made: Images, number: int, progress: Progress) -> deliver.Sif:
    return deliver.sif(made, made.images[number], os.environ, progress=progress)


def _sif_lines(file: deliver.Sif) -> list[str]:
    if file.made:
        return [f"  sif        {file.path}"]
    return ["  sif        Apptainer is not on this machine; where it is:", f"    {shlex.join(file.argv)}"]


def _lines(made: Images) -> list[str]:
    lines = [f"images in {made.layout}"]
    for one in made.images:
        lines.append(f"  {one.tag}  sha256:{one.manifest.digest}")
        lines.append(f"    {one.layers} layers, {one.size:,} bytes, {one.written:,} written now")
    for index in made.indexes:
        lines.append(f"  {index.tag}  sha256:{index.manifest.digest}  index of {', '.join(index.targets)}")
    return lines
