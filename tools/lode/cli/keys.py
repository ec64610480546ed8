"""`lode keys`: the user's signing keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from lode.cli import secret
from lode.cli.common import Session, common
from lode.workflow import keys
from lode.workflow.keys import StoredKey

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def command() -> None:
    """Make, show, import and export signing keys.

    They lie in the user's settings folder, private ones encrypted in cosign's form with mode 0600. A password is
    taken from LODE_KEY_PASSWORD, or asked for on a terminal; it is never printed or stored.
    """


@command.command()
@click.argument("name", default=keys.USUAL)
@common
def init(session: Session, name: str) -> None:
    """Make a signing key called NAME (default: release) and print the lines for trust.yaml.

    \b
    Examples:
      lode keys init
      LODE_KEY_PASSWORD="$SECRET" lode keys init ci
    """  # noqa: D301 - \b is click's
    made = keys.make(session.places.keys, name, secret.new(f"new password for the key {name}").encode())
    _emit(session, (made,), head=f"made the key {name}; keep a copy of {made.private} in a safe place")


@command.command()
@click.argument("name", required=False)
@common
def show(session: Session, name: str | None) -> None:
    """Show the key NAME, or all: fingerprints, places, and the lines for trust.yaml. No secrets."""
    folder = session.places.keys
    found = (keys.find(folder, name),) if name else keys.stored(folder)
    _emit(session, found, head="" if found else f"there are no signing keys in {folder}; `lode keys init` makes one")


@command.command(name="import")
@click.argument("file", type=_FILE, required=False)
@click.option("--name", default=keys.USUAL, show_default=True, help="What to call the key.")
@click.option("--signer", metavar="URI", help="A token or key service instead of a file: hsm:, awskms:, gcpkms:, …")
@click.option("--public", type=_FILE, metavar="FILE", help="The signer's public key; default: the signer is asked.")
@common
def import_(session: Session, file: Path | None, name: str, signer: str | None, public: Path | None) -> None:
    """Keep a private key from FILE (cosign's form, PKCS #8 or SEC 1), or a signer by its URI.

    The password opens FILE, and encrypts what is kept; one in LODE_FILE_PASSWORD opens FILE instead.

    \b
    Examples:
      lode keys import cosign.key --name ci
      lode keys import --signer "hsm:2?label=YubiKey+PIV" --name token
    """  # noqa: D301 - \b is click's
    if (file is None) == (signer is None):
        raise click.UsageError("give either a FILE or --signer URI")
    folder = session.places.keys
    if signer is not None:
        kept = keys.register(folder, name, signer, public, secret.secret)
    else:
        assert file is not None
        password = secret.secret(f"password of {file}").encode()
        given = os.environ.get("LODE_FILE_PASSWORD")
        opens = password if given is None else given.encode()
        kept = keys.take(folder, name, file, given=opens, password=password)
    _emit(session, (kept,), head=f"kept the key {name}")


@command.command()
@click.argument("name", required=False)
@click.option("--form", type=click.Choice(keys.FORMS), default="public", show_default=True,
              help="`public` in PEM; `cosign` and `pkcs8` are private and stay encrypted.")  # fmt: skip
@click.option("-o", "--output", type=_FILE, metavar="FILE", required=True, help="Write it here; it must not exist.")
@common
def export(session: Session, name: str | None, form: str, output: Path) -> None:
    """Write the key NAME to a file that other programs read: cosign, openssl, apptainer.

    \b
    Examples:
      lode keys export -o release.pub
      lode keys export ci --form cosign -o cosign.key
    """  # noqa: D301 - \b is click's
    key = keys.find(session.places.keys, name)
    password = b"" if form == "public" else secret.secret(f"password of the key {key.name}").encode()
    keys.export(key, form, password=password, output=output)
    session.emit({"name": key.name, "form": form, "file": str(output)}, str(output))


def _emit(session: Session, found: tuple[StoredKey, ...], *, head: str) -> None:
    lines = [head] if head else []
    for key in found:
        lines += [
            f"{key.name}",
            f"  fingerprint  {key.public.fingerprint}",
            f"  public key   {key.file}",
            f"  private key  {key.private}",
            "  in trust.yaml, below keys:",
            *(f"    {line}" for line in trust_lines(key)),
        ]
    session.emit({"keys": [_document(key) for key in found]}, "\n".join(lines))


def trust_lines(key: StoredKey) -> list[str]:
    """Return the lines of a trust policy that name the key, as they stand below `keys:`."""
    return [f"{key.name}:", "  public: |", *(f"    {line}" for line in key.public.pem.decode().strip().split("\n"))]


def _document(key: StoredKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "fingerprint": key.public.fingerprint,
        "scheme": key.public.scheme,
        "public": key.public.pem.decode(),
        "public_file": str(key.file),
        "private": key.private,
    }
