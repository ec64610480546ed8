"""`lode cite`: whom to cite for a stack."""

from __future__ import annotations

import click

from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.describing import citations
from lode.workflow.lock import lock_of

FORMS = {"text": citations.text, "bibtex": citations.bibtex, "cff": citations.cff}


@click.command()
@click.argument("stack")
@click.option("--format", "form", type=click.Choice(tuple(FORMS)), default="text", show_default=True,
              help="Plain text, BibTeX, or a CITATION.cff file.")  # fmt: skip
@common
def command(session: Session, stack: str, form: str) -> None:
    """Say whom to cite for STACK (a reference or a lock file): the works behind every package in it.

    \b
    Examples:
      lode cite dance-mini
      lode cite dance-mini@2026.11 --format bibtex >> references.bib
    """  # noqa: D301 - \b is click's
    lock = lock_of(Catalogue.open(session.collections, here=session.here), stack)
    document = {
        "stack": lock.stack,
        "release": lock.release,
        "citations": [
            {
                "package": each.package,
                "version": each.version,
                "summary": each.summary,
                "doi": each.doi,
                "url": each.url,
            }
            for each in citations.citations(lock)
        ],
    }
    session.emit(document, FORMS[form](lock).rstrip("\n"))
