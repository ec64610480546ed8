"""Publishing to a repository: what would be done, and doing it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lode import __version__
from lode.cli.common import Session, common
from lode.cli.cvmfs import shared
from lode.cli.cvmfs.shared import FILE, FOLDER, placed
from lode.errors import UsageError
from lode.workflow import cvmfs

_IMAGES = click.option("--images/--no-images", default=None, help="The images of the trees, unpacked for Apptainer, "
                       "too; default: as `images:` in the repository's file says.")  # fmt: skip


@click.command()
@click.argument("fqrn")
@click.argument("trees", nargs=-1, metavar="[STACK|PREFIX]...")
@click.option("--remove", multiple=True, metavar="PATH", help="Take away what is at /<stack>/<release>/<target>.")
@_IMAGES
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Threads; default: the CPUs.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page to read.")
@placed
@common
def plan(
    session: Session,
    fqrn: str,
    trees: tuple[str, ...],
    remove: tuple[str, ...],
    images: bool | None,
    jobs: int | None,
    html: Path | None,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Say what publishing would do: files, bytes, objects, catalogs. Nothing is written."""
    from lode.publishing.cvmfs import plan as planning

    work = shared.desk(session, fqrn, key_folder, folder)
    with shared.sources(session, work, trees, images=images) as (cache, sources, unchanged):
        made = planning.plan(
            work.stratum(), sources, cache=cache, jobs=jobs or shared.cpus(), remove=remove, unchanged=unchanged
        )
    if html is not None:
        from lode.workflow.test import save

        save(html, planning.html(made, version=__version__))
    session.emit(made.document(), "\n".join(made.lines()))


@click.command()
@click.argument("fqrn")
@click.argument("trees", nargs=-1, metavar="[STACK|PREFIX]...")
@click.option("--remove", multiple=True, metavar="PATH", help="Take away what is at /<stack>/<release>/<target>.")
@_IMAGES
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="Name the revision. Repeatable.")
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Threads; default: the CPUs.")
@placed
@common
def publish(
    session: Session,
    fqrn: str,
    trees: tuple[str, ...],
    remove: tuple[str, ...],
    images: bool | None,
    tags: tuple[str, ...],
    jobs: int | None,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Publish releases in one new revision: all targets of STACK, or the tree PREFIX.

    What is published already is not published again; a call that was killed has changed nothing and is called again.

    \b
    Examples:
      lode cvmfs publish dance.example.org dance-mini
      lode cvmfs publish dance.example.org dance-mini --images
      lode cvmfs publish dance.example.org dance-mini@2026.12 --tag 2026.12 --remove /dance-mini/2026.10/el9-x86_64
    """  # noqa: D301 - \b is click's
    from lode.publishing.cvmfs import publish as publishing

    if not (trees or remove or tags):
        raise UsageError("nothing to publish", hint="name a stack or a prefix, or give --remove or --tag")
    for name in tags:
        publishing.require_tag(name)
    work = shared.desk(session, fqrn, key_folder, folder)
    with shared.sources(session, work, trees, images=images) as (cache, sources, unchanged):
        made = publishing.publish(
            work.stratum(),
            work.signing(),
            sources,
            cache=cache,
            now=shared.now(),
            jobs=jobs or shared.cpus(),
            progress=session.progress(),
            remove=remove,
            tags=dict.fromkeys(tags, ""),
            unchanged=unchanged,
        )
    lines = [f"{fqrn} {'is at' if made.new else 'stays at'} revision {made.revision}, root {made.root}"]
    lines += [f"  published  {path}" for path in made.changed]
    lines += [f"  unchanged  {path}" for path in made.unchanged]
    lines += [f"  removed    {path}" for path in made.removed]
    session.emit(asdict(made), "\n".join([*lines, *(f"  warning: {text}" for text in made.warnings)]))


@click.command()
@click.argument("fqrn")
@click.argument("trees", nargs=-1, required=True, metavar="[STACK|PREFIX]...")
@click.option("-o", "--output", type=FOLDER, required=True, metavar="FOLDER", help="Where the bundles are written.")
@click.option("--signature", type=FILE, metavar="FILE", help="The tree's signature; default: beside its folder.")
@placed
@common
def bundle(
    session: Session,
    fqrn: str,
    trees: tuple[str, ...],
    output: Path,
    signature: Path | None,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Write each tree as one file for somebody else's Stratum 0: to ingest, with instructions and its signature.

    \b
    Examples:
      lode cvmfs bundle sw.example.org dance-mini -o bundles
    """  # noqa: D301 - \b is click's
    work = shared.desk(session, fqrn, key_folder, folder, ours=False)
    made = [
        cvmfs.bundle_tree(
            work,
            source,
            output / f"{source.mount.strip('/').replace('/', '-')}.cvmfs.tar",
            signature=signature,
            progress=session.progress(),
        )
        for source in cvmfs.sources(trees, session.places, fqrn)
    ]
    document = [{**asdict(one), "file": str(one.file)} for one in made]
    lines = [
        f"{one.file}: {one.mount}, {'signed' if one.signed else 'not signed'}, sha256 {one.digest}" for one in made
    ]
    session.emit(document, "\n".join(lines))


@click.command()
@click.argument("fqrn")
@click.argument("trees", nargs=-1, required=True, metavar="[STACK|PREFIX]...")
@click.option("--ingest", is_flag=True, help="One tar file and revision a tree; default: one transaction for all.")
@click.option("--lease/--no-lease", default=None, help="A gateway leases paths; default: as the server.conf says.")
@click.option("--wait", type=click.IntRange(0, 86400), default=0, metavar="SECONDS", help="Wait for other publishers.")
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="Name the revision. Repeatable.")
@click.option("--program", default="cvmfs_server", show_default=True, help="What publishes.")
@click.option("--mounted", type=FOLDER, metavar="FOLDER", help="Where the repository is; default: /cvmfs/FQRN.")
@placed
@common
def server(
    session: Session,
    fqrn: str,
    trees: tuple[str, ...],
    ingest: bool,
    lease: bool | None,
    wait: int,
    tags: tuple[str, ...],
    program: str,
    mounted: Path | None,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Publish with cvmfs_server on a Stratum 0 or a gateway's publisher; whatever fails is aborted.

    \b
    Examples:
      lode cvmfs server sw.example.org dance-mini --tag dance-mini-2026.11
      lode cvmfs server sw.example.org dance-mini --lease --wait 600
    """  # noqa: D301 - \b is click's
    from lode.publishing.cvmfs import server as serving

    work = shared.desk(session, fqrn, key_folder, folder, ours=False)
    sources = cvmfs.sources(trees, session.places, fqrn)
    there = serving.Server(
        name=fqrn,
        nesting=work.repository.nesting,
        mounted=mounted or Path("/cvmfs") / fqrn,
        program=program,
        lease=serving.behind_gateway(fqrn) if lease is None else lease,
        wait_s=wait,
    )
    progress = session.progress()
    if ingest:
        done = serving.ingest(there, sources, tags=tags, work=work.cache, progress=progress)
    else:
        done = serving.transaction(there, sources, tags=tags, progress=progress)
    lines = [f"{fqrn}: {'published' if done.changed else 'nothing to publish'}"]
    lines += [f"  published  {path}" for path in done.changed]
    lines += [f"  unchanged  {path}" for path in done.unchanged]
    session.emit(asdict(done), "\n".join(lines))
