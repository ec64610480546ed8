"""The other side: trying a repository here, and what sites install."""

from __future__ import annotations

from pathlib import Path

import click

from lode import tree
from lode.cli.common import Session, common
from lode.cli.cvmfs import shared
from lode.cli.cvmfs.shared import FOLDER, placed
from lode.errors import UsageError


@click.command()
@click.argument("fqrn")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free port.")
@placed
@common
def serve(session: Session, fqrn: str, port: int, key_folder: Path | None, folder: Path | None) -> None:
    """Serve the repository to this machine, to try a client on it."""
    from lode.publishing.cvmfs import serve as serving

    work = shared.desk(session, fqrn, key_folder, folder)
    if work.bucket is not None:
        raise UsageError(f"{fqrn} lies in the bucket {work.bucket.url}", hint="its own server serves it")
    with serving.server(work.folder, fqrn, port=port) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/cvmfs/{fqrn}"
        session.emit({"url": url}, f"{url} until interrupted")
        server.serve_forever()


@click.command("client-config")
@click.argument("fqrn")
@click.option("-o", "--output", type=FOLDER, required=True, metavar="FOLDER", help="Where to write; /etc/cvmfs.")
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

    work = shared.desk(session, fqrn, key_folder, folder)
    files = client.config(work.repository, shared.read(work.files.public), servers=servers, proxy=proxy)
    tree.write(files, output)
    written = [str(output / path) for path in sorted(files.files)]
    session.emit({"files": written}, "\n".join(written))
