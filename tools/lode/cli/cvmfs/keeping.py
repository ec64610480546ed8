"""Making a repository and keeping it: keys, checks, garbage, the whitelist."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from lode import tree
from lode.cli.common import Session, common
from lode.cli.cvmfs import shared
from lode.cli.cvmfs.shared import FILE, placed
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError, VerificationError
from lode.workflow import cvmfs


@click.command()
@click.argument("fqrn")
@placed
@common
def init(session: Session, fqrn: str, key_folder: Path | None, folder: Path | None) -> None:
    """Make the keys and an empty repository, and its file cvmfs/repositories/FQRN.yaml unless there is one."""
    repository, written = cvmfs.define(Catalogue.open(session.collections, here=session.here), fqrn)
    work = cvmfs.desk(repository, session.places, key_folder=key_folder, folder=folder, passphrase=shared.passphrase())
    made = cvmfs.init(work, now=shared.now())
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


@click.command()
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

    work = shared.desk(session, fqrn, key_folder, folder)
    found = checking.check(work.stratum(), now=shared.now(), jobs=jobs or shared.cpus(), progress=session.progress())
    lines = [f"{fault}" for fault in found.faults] + [f"warning: {text}" for text in found.warnings]
    if not found.faults:
        lines.append(
            f"{fqrn} is sound: revision {found.revision}, {found.catalogs:,} catalogs, {found.entries:,} entries, "
            f"{found.objects:,} objects of {found.stored_bytes / 1e6:,.1f} MB"
        )
    session.emit(asdict(found), "\n".join(lines))
    if found.faults:
        context.exit(VerificationError.status)


@click.command()
@click.argument("fqrn")
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be removed.")
@placed
@common
def gc(session: Session, fqrn: str, dry_run: bool, key_folder: Path | None, folder: Path | None) -> None:
    """Remove objects that neither the present revision, a tag nor a recent revision needs."""
    from lode.publishing.cvmfs import gc as collecting

    work = shared.desk(session, fqrn, key_folder, folder)
    done = collecting.collect(work.stratum(), now=shared.now(), dry_run=dry_run, progress=session.progress())
    kept = ", ".join(str(number) for number in done.revisions)
    session.emit(
        asdict(done),
        f"{'would remove' if dry_run else 'removed'} {done.removed:,} objects of {done.removed_bytes / 1e6:,.1f} MB; "
        f"kept {done.kept:,}, of the revisions {kept} and all tags",
    )


@click.command()
@click.argument("fqrn")
@click.option("--request", "request_", type=FILE, metavar="FILE", help="Only write what the master key must sign.")
@click.option("--sign", "sign_", type=FILE, metavar="FILE", help="Sign a request with the master key; needs --output.")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Where --sign writes the whitelist.")
@click.option("--install", "install_", type=FILE, metavar="FILE", help="Put a signed whitelist in place.")
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
    work = shared.desk(session, fqrn, key_folder, folder)
    if sign_ is not None and output is not None:
        master = keys.load_private(work.files.master, work.passphrase)
        tree.replace(output, resign.sign(shared.read(sign_), master))
        session.emit({"whitelist": str(output)}, f"{output}: `lode cvmfs resign {fqrn} --install` puts it in place")
        return
    there = work.stratum()
    if request_ is not None:
        tree.replace(request_, resign.request(there, shared.read(work.files.certificate), now=shared.now()))
        session.emit({"request": str(request_)}, f"{request_}: sign it with `lode cvmfs resign {fqrn} --sign`")
        return
    if install_ is not None:
        content = shared.read(install_)
    else:
        master = keys.load_private(work.files.master, work.passphrase)
        content = resign.sign(resign.request(there, shared.read(work.files.certificate), now=shared.now()), master)
    found = resign.install(there, content, now=shared.now())
    session.emit(
        {"expires": found.expires.isoformat()}, f"{fqrn}: the whitelist is valid until {found.expires:%F %R} UTC"
    )


@click.command()
@click.argument("fqrn")
@placed
@common
def rotate(session: Session, fqrn: str, key_folder: Path | None, folder: Path | None) -> None:
    """Make a new signing key. The whitelist names both until the next publication and renewal.

    Where the master key lies elsewhere, `lode cvmfs resign` has to follow in its three steps before anything can be
    published.
    """
    work = shared.desk(session, fqrn, key_folder, folder)
    found = cvmfs.rotate(work, now=shared.now())
    expires = found.expires.isoformat() if found else None
    after = (
        f"the whitelist names it until {found.expires:%F %R} UTC"
        if found
        else f"now `lode cvmfs resign {fqrn} --request FILE`, for the master key to sign"
    )
    session.emit({"signing_key": str(work.files.signing), "expires": expires}, f"{work.files.signing}: {after}")
