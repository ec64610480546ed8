"""`lode cvmfs`: a signed CVMFS repository, from its keys to its clients."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from lode import tree
from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError, VerificationError
from lode.workflow import cvmfs
from lode.workflow.cvmfs import Desk

Function = TypeVar("Function", bound=Callable[..., Any])

DIFFERENT = 1  # as `diff` says it
PASSPHRASE = "LODE_CVMFS_PASSPHRASE"  # noqa: S105 - the name of a variable

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def command() -> None:
    """Publish trees to a CVMFS repository that any web server serves; no root, no daemon.

    FQRN is the repository's fully qualified name, such as dance.example.org. Keys lie in the user's settings folder,
    the repository's files below the user's releases; --keys and --folder name other places. Encrypted keys are opened
    with the passphrase in LODE_CVMFS_PASSPHRASE.
    """


def placed(function: Function) -> Function:
    """Add --keys and --folder to a command."""
    function = click.option("--keys", "key_folder", type=_FOLDER, metavar="FOLDER", help="Where the keys lie.")(
        function
    )
    return click.option("--folder", type=_FOLDER, metavar="FOLDER", help="Where the repository's files lie.")(function)


@command.command()
@click.argument("fqrn")
@placed
@common
def init(session: Session, fqrn: str, key_folder: Path | None, folder: Path | None) -> None:
    """Make the keys and an empty repository, and its file cvmfs/repositories/FQRN.yaml unless there is one."""
    repository, written = cvmfs.define(Catalogue.open(session.collections, here=session.here), fqrn)
    work = cvmfs.desk(repository, session.places, key_folder=key_folder, folder=folder, passphrase=_passphrase())
    made = cvmfs.init(work, now=_now())
    document = {
        "name": fqrn,
        "revision": made.revision,
        "root": made.root,
        "place": work.place,
        "public_key": str(work.files.public),
        "master_key": str(work.files.master),
        "definition": str(written) if written else None,
    }
    lines = [
        f"{fqrn} is at revision {made.revision}",
        *([f"  definition  {written}"] if written else []),
        f"  files       {work.place}",
        f"  public key  {work.files.public}",
        f"  master key  {work.files.master}: keep a copy elsewhere; only `lode cvmfs resign` needs it",
    ]
    session.emit(document, "\n".join(lines))


@command.command()
@click.argument("fqrn")
@click.argument("trees", nargs=-1, metavar="[STACK|PREFIX]...")
@click.option("--remove", multiple=True, metavar="PATH", help="Take away what is at /<stack>/<release>/<target>.")
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Threads; default: the CPUs.")
@placed
@common
def plan(
    session: Session,
    fqrn: str,
    trees: tuple[str, ...],
    remove: tuple[str, ...],
    jobs: int | None,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Say what publishing would do: files, bytes, objects, catalogs. Nothing is written."""
    from lode.publishing.cvmfs import plan as planning

    work = _desk(session, fqrn, key_folder, folder)
    sources = cvmfs.sources(trees, session.places, fqrn)
    cache = work.remembered()
    try:
        made = planning.plan(work.stratum(), sources, cache=cache, jobs=jobs or _cpus(), remove=remove)
    finally:
        cache.close()
    session.emit(made.document(), "\n".join(made.lines()))


@command.command()
@click.argument("fqrn")
@click.argument("trees", nargs=-1, metavar="[STACK|PREFIX]...")
@click.option("--remove", multiple=True, metavar="PATH", help="Take away what is at /<stack>/<release>/<target>.")
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="Name the revision. Repeatable.")
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Threads; default: the CPUs.")
@placed
@common
def publish(
    session: Session,
    fqrn: str,
    trees: tuple[str, ...],
    remove: tuple[str, ...],
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
      lode cvmfs publish dance.example.org dance-mini@2026.12 --tag 2026.12 --remove /dance-mini/2026.10/el9-x86_64
    """  # noqa: D301 - \b is click's
    from lode.publishing.cvmfs import publish as publishing

    if not (trees or remove or tags):
        raise UsageError("nothing to publish", hint="name a stack or a prefix, or give --remove or --tag")
    for name in tags:
        publishing.require_tag(name)
    work = _desk(session, fqrn, key_folder, folder)
    sources = cvmfs.sources(trees, session.places, fqrn)
    cache = work.remembered()
    try:
        made = publishing.publish(
            work.stratum(),
            work.signing(),
            sources,
            cache=cache,
            now=_now(),
            jobs=jobs or _cpus(),
            progress=session.progress(),
            remove=remove,
            tags=dict.fromkeys(tags, ""),
        )
    finally:
        cache.close()
    lines = [f"{fqrn} {'is at' if made.new else 'stays at'} revision {made.revision}, root {made.root}"]
    lines += [f"  published  {path}" for path in made.changed]
    lines += [f"  unchanged  {path}" for path in made.unchanged]
    lines += [f"  removed    {path}" for path in made.removed]
    session.emit(asdict(made), "\n".join([*lines, *(f"  warning: {text}" for text in made.warnings)]))


@command.command()
@click.argument("fqrn")
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Threads; default: the CPUs.")
@placed
@common
@click.pass_context
def check(
    context: click.Context, session: Session, fqrn: str, jobs: int | None, key_folder: Path | None, folder: Path | None
) -> None:
    """Check signatures, catalogs and every object of the present revision and all tags."""
    from lode.publishing.cvmfs import check as checking

    work = _desk(session, fqrn, key_folder, folder)
    found = checking.check(work.stratum(), now=_now(), jobs=jobs or _cpus(), progress=session.progress())
    lines = [f"{fault}" for fault in found.faults] + [f"warning: {text}" for text in found.warnings]
    if not found.faults:
        lines.append(
            f"{fqrn} is sound: revision {found.revision}, {found.catalogs:,} catalogs, {found.entries:,} entries, "
            f"{found.objects:,} objects of {found.stored_bytes / 1e6:,.1f} MB"
        )
    session.emit(asdict(found), "\n".join(lines))
    if found.faults:
        context.exit(VerificationError.status)


@command.command()
@click.argument("fqrn")
@click.argument("old", default="trunk-previous")
@click.argument("new", default="trunk")
@placed
@common
@click.pass_context
def diff(
    context: click.Context,
    session: Session,
    fqrn: str,
    old: str,
    new: str,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Name the paths that differ between two tags; by default what the last publication changed.

    Exits with status 0 when there are none and 1 when there are.
    """
    from lode.inventory import printable
    from lode.publishing.cvmfs import revisions, stratum

    there = _desk(session, fqrn, key_folder, folder).stratum()
    head = stratum.read(there)
    left, right = revisions.find(head, old), revisions.find(head, new)
    changes = [
        (change.kind, printable(change.path.decode("utf-8", "surrogateescape")))
        for change in revisions.diff(there.storage, left.root, right.root)
    ]
    document = [{"change": kind, "path": path} for kind, path in changes]
    session.emit(document, "\n".join(f"{kind:<8} {path}" for kind, path in changes) or f"{old} and {new} are the same")
    if changes:
        context.exit(DIFFERENT)


@command.command()
@click.argument("fqrn")
@click.argument("name", required=False)
@click.option("-m", "--message", default="", help="What the tag is for.")
@click.option("-d", "--delete", is_flag=True, help="Remove the tag.")
@click.option("-f", "--force", is_flag=True, help="Move the tag when it exists.")
@placed
@common
def tag(
    session: Session,
    fqrn: str,
    name: str | None,
    message: str,
    delete: bool,
    force: bool,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Name the present revision NAME; without NAME, list the tags. What a tag names is never removed."""
    from lode.publishing.cvmfs import publish as publishing
    from lode.publishing.cvmfs import revisions, stratum

    work = _desk(session, fqrn, key_folder, folder)
    there = work.stratum()
    if name is not None and delete:
        revisions.untag(there, work.signing(), name, now=_now())
    elif name is not None:
        publishing.require_tag(name)
        revisions.tag(there, work.signing(), name, message, now=_now(), force=force)
    tags = stratum.read(there).tags
    lines = [
        f"{one.name:<24} {one.revision:>6}  {_moment(one.time)}  {one.root}  {one.description}".rstrip() for one in tags
    ]
    session.emit([asdict(one) for one in tags], "\n".join(lines))


@command.command()
@click.argument("fqrn")
@click.argument("name", metavar="TAG", default="trunk-previous")
@placed
@common
def rollback(session: Session, fqrn: str, name: str, key_folder: Path | None, folder: Path | None) -> None:
    """Return to TAG, by default to the revision before: a new revision that holds what it held."""
    from lode.publishing.cvmfs import revisions

    work = _desk(session, fqrn, key_folder, folder)
    made = revisions.rollback(work.stratum(), work.signing(), name, now=_now())
    session.emit(asdict(made), f"{fqrn} is at revision {made.revision}, which holds what {name} did")


@command.command()
@click.argument("fqrn")
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be removed.")
@placed
@common
def gc(session: Session, fqrn: str, dry_run: bool, key_folder: Path | None, folder: Path | None) -> None:
    """Remove objects that neither the present revision, a tag nor a recent revision needs."""
    from lode.publishing.cvmfs import gc as collecting

    work = _desk(session, fqrn, key_folder, folder)
    done = collecting.collect(work.stratum(), now=_now(), dry_run=dry_run, progress=session.progress())
    kept = ", ".join(str(number) for number in done.revisions)
    session.emit(
        asdict(done),
        f"{'would remove' if dry_run else 'removed'} {done.removed:,} objects of {done.removed_bytes / 1e6:,.1f} MB; "
        f"kept {done.kept:,}, of the revisions {kept} and all tags",
    )


@command.command()
@click.argument("fqrn")
@click.option("--request", "request_", type=_FILE, metavar="FILE", help="Only write what the master key must sign.")
@click.option("--sign", "sign_", type=_FILE, metavar="FILE", help="Sign a request with the master key; needs --output.")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Where --sign writes the whitelist.")
@click.option("--install", "install_", type=_FILE, metavar="FILE", help="Put a signed whitelist in place.")
@placed
@common
def resign(
    session: Session,
    fqrn: str,
    request_: Path | None,
    sign_: Path | None,
    output: Path | None,
    install_: Path | None,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Renew the whitelist, which clients refuse once it has expired.

    With the master key on a machine without network: --request here, --sign there, --install here.
    """
    from lode.publishing.cvmfs import keys, resign

    if sum(given is not None for given in (request_, sign_, install_)) > 1:
        raise UsageError("--request, --sign and --install are three steps", hint="give one of them")
    if (sign_ is None) != (output is None):
        raise UsageError("--sign and --output go together")
    work = _desk(session, fqrn, key_folder, folder)
    if sign_ is not None and output is not None:
        master = keys.load_private(work.files.master, work.passphrase)
        tree.replace(output, resign.sign(_read(sign_), master))
        session.emit({"whitelist": str(output)}, f"{output}: `lode cvmfs resign {fqrn} --install` puts it in place")
        return
    there = work.stratum()
    if request_ is not None:
        tree.replace(request_, resign.request(there, _read(work.files.certificate), now=_now()))
        session.emit({"request": str(request_)}, f"{request_}: sign it with `lode cvmfs resign {fqrn} --sign`")
        return
    if install_ is not None:
        content = _read(install_)
    else:
        master = keys.load_private(work.files.master, work.passphrase)
        content = resign.sign(resign.request(there, _read(work.files.certificate), now=_now()), master)
    found = resign.install(there, content, now=_now())
    session.emit(
        {"expires": found.expires.isoformat()}, f"{fqrn}: the whitelist is valid until {found.expires:%F %R} UTC"
    )


@command.command()
@click.argument("fqrn")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free port.")
@placed
@common
def serve(session: Session, fqrn: str, port: int, key_folder: Path | None, folder: Path | None) -> None:
    """Serve the repository to this machine, to try a client on it."""
    from lode.publishing.cvmfs import serve as serving

    work = _desk(session, fqrn, key_folder, folder)
    if work.bucket is not None:
        raise UsageError(f"{fqrn} lies in the bucket {work.bucket.url}", hint="its own server serves it")
    with serving.server(work.folder, fqrn, port=port) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/cvmfs/{fqrn}"
        session.emit({"url": url}, f"{url} until interrupted")
        server.serve_forever()


@command.command("client-config")
@click.argument("fqrn")
@click.option("-o", "--output", type=_FOLDER, required=True, metavar="FOLDER", help="Where to write; /etc/cvmfs.")
@click.option("--server", "servers", multiple=True, metavar="URL", help="Instead of those in the repository's file.")
@click.option("--proxy", default="DIRECT", show_default=True, help="CVMFS_HTTP_PROXY of the site.")
@placed
@common
def client_config(
    session: Session,
    fqrn: str,
    output: Path,
    servers: tuple[str, ...],
    proxy: str,
    key_folder: Path | None,
    folder: Path | None,
) -> None:
    """Write what a site installs to mount the repository: its key and its configuration."""
    from lode.publishing.cvmfs import client

    work = _desk(session, fqrn, key_folder, folder)
    files = client.config(work.repository, _read(work.files.public), servers=servers, proxy=proxy)
    tree.write(files, output)
    written = [str(output / path) for path in sorted(files.files)]
    session.emit({"files": written}, "\n".join(written))


def _desk(session: Session, fqrn: str, key_folder: Path | None, folder: Path | None) -> Desk:
    repository = cvmfs.find(Catalogue.open(session.collections, here=session.here), fqrn)
    return cvmfs.desk(repository, session.places, key_folder=key_folder, folder=folder, passphrase=_passphrase())


def _passphrase() -> bytes | None:
    return os.environb.get(PASSPHRASE.encode()) or None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _moment(seconds: int) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M}"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _cpus() -> int:
    return len(os.sched_getaffinity(0))
