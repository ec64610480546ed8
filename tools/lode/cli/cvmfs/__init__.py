"""`lode cvmfs`: a signed CVMFS repository, from its keys to its clients."""

from __future__ import annotations

import click

from lode.cli.cvmfs import clients, keeping, publishing, revisions


@click.group()
def command() -> None:
    """Publish trees to a CVMFS repository that any web server serves; no root, no daemon.

    FQRN is the repository's fully qualified name, such as dance.example.org. Keys lie in the user's settings folder,
    the repository's files below the user's releases; --keys and --folder name other places. Encrypted keys are opened
    with the passphrase in LODE_CVMFS_PASSPHRASE.
    """


for each in (
    keeping.init,
    publishing.plan,
    publishing.publish,
    publishing.bundle,
    publishing.server,
    keeping.check,
    revisions.diff,
    revisions.tag,
    revisions.rollback,
    keeping.gc,
    keeping.resign,
    keeping.rotate,
    clients.serve,
    clients.client_config,
):
    command.add_command(each)
