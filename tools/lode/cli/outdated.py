"""`lode outdated`: releases upstream, stacks and targets that are behind, known vulnerabilities."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from lode.cli.access import asking
from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.errors import HostError
from lode.sourcing.access import Access
from lode.watching import osv
from lode.workflow.outdated import Outdated, outdated
from lode.workflow.propose import Proposal, propose

BEHIND = 1  # as `diff` says that something differs


@click.command()
@click.argument("packages", nargs=-1, metavar="[PACKAGE]…")
@click.option("--osv", "dump", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER",
              help="Search vulnerabilities in these OSV records instead of asking the service.")  # fmt: skip
@click.option("--osv-service", default=osv.SERVICE, show_default=True, metavar="URL", help="The service to ask.")
@click.option("--propose", "proposing", is_flag=True,
              help="Write each bump as a branch, with the hashes of what upstream serves and new locks.")  # fmt: skip
@click.option("--markdown", is_flag=True, help="Print a report for a summary or an issue.")
@asking
@common
@click.pass_context
def command(
    context: click.Context,
    session: Session,
    packages: tuple[str, ...],
    dump: Path | None,
    osv_service: str,
    proposing: bool,
    markdown: bool,
    access: Access,
) -> None:
    """Say what is behind upstream, of all recipes or of each PACKAGE; stacks, targets and vulnerabilities too.

    Exits with status 0 when nothing is behind, 1 when something is, and 10 when no place upstream answered.

    \b
    Examples:
      lode outdated
      lode outdated numpy hdf5 --json
      lode outdated --osv osv-dump/ --markdown >>"$GITHUB_STEP_SUMMARY"
      lode outdated pylhe --propose && git log -1 bump/pylhe-2.1.1
    """  # noqa: D301 - \b is click's
    catalogue = Catalogue.open(session.collections, here=session.here)
    found = outdated(
        catalogue,
        packages,
        access=access,
        today=datetime.datetime.now(datetime.UTC).date(),
        progress=session.progress(),
        dump=dump,
        service=osv_service,
    )
    made: tuple[Proposal, ...] = ()
    if proposing:
        own = catalogue.collections[0].folder
        stacks = sorted({name for name, _ in catalogue.below(own).stacks})
        made = propose(own, found.newer, stacks, progress=session.progress())
    session.emit(document(found, made), "\n".join(_markdown(found) if markdown else _lines(found, made)))
    if found.silent and not found.asked:
        raise HostError(
            f"none of {len(found.silent)} places upstream answered", hint=f"the first said: {found.silent[0].reason}"
        )
    if found:
        context.exit(BEHIND)


def document(found: Outdated, made: Sequence[Proposal]) -> dict[str, Any]:
    """Return what is behind as --json prints it."""
    return {
        "newer": [asdict(one) for one in found.newer],
        "behind": [asdict(one) for one in found.behind],
        "targets": [fault.message for fault in found.targets],
        "vulnerable": [asdict(one) for one in found.vulnerable],
        "vulnerable_unknown": found.unknown or None,
        "vulnerable_unsearched": list(found.unsearched),
        "silent": [asdict(one) for one in found.silent],
        "unwatched": list(found.unwatched),
        "asked": found.asked,
        "proposals": [asdict(one) for one in made],
    }


def _lines(found: Outdated, made: Sequence[Proposal]) -> Iterator[str]:
    for one in found.newer:
        yield f"{one.package} {one.has}: {one.upstream} is out ({one.where})"
        yield from (f"  {patch} ends with it" for patch in one.patches)
        yield from (f"  held back: {text}" for text in one.held)
    for old in found.behind:
        why = f"held back: it asks {old.held}" if old.held else f"`lode lock {old.stack} --update {old.package}`"
        yield f"{old.stack} has {old.package} {old.has}, the recipe {old.recipe}: {why}"
    yield from (f"{bad.package} {bad.version}: {bad.id} {bad.summary}".rstrip() for bad in found.vulnerable)
    yield from (fault.message for fault in found.targets)
    for proposal in made:
        state = proposal.problem or ("made" if proposal.made else "was there")
        yield f"branch {proposal.branch}: {state}"
    if not found:
        yield f"nothing is behind: {found.asked} places asked"
    if found.unknown:
        yield f"vulnerabilities not known: {found.unknown}"
    if found.unsearched:
        yield f"vulnerabilities not looked for, as no record names it: {', '.join(found.unsearched)}"
    for reason, names in _silences(found).items():
        yield f"no answer for {', '.join(names)}: {reason}"
    if found.unwatched:
        yield f"no place shows releases of {', '.join(found.unwatched)}"


def _silences(found: Outdated) -> dict[str, list[str]]:
    """Return the packages by what was wrong."""
    said: dict[str, list[str]] = {}
    for one in found.silent:
        said.setdefault(one.reason, []).append(one.package)
    return said


def _markdown(found: Outdated) -> Iterator[str]:
    yield "### What is behind"
    yield ""
    if found.newer:
        yield "| package | here | upstream | held back by | patches that end |"
        yield "|---|---|---|---|---|"
        for one in found.newer:
            yield f"| {one.package} | {one.has} | {one.upstream} | {'; '.join(one.held)} | {', '.join(one.patches)} |"
        yield ""
    for old in found.behind:
        why = f"it asks `{old.held}`" if old.held else "its lock can be updated"
        yield f"- {old.stack} has {old.package} {old.has}, the recipe {old.recipe}: {why}"
    for bad in found.vulnerable:
        yield f"- **{bad.id}** in {bad.package} {bad.version} {bad.summary}".rstrip()
    yield from (f"- {fault.message}" for fault in found.targets)
    if not found:
        yield "Nothing."
    if found.unknown:
        yield f"- vulnerabilities are not known: {found.unknown}"
    if found.unsearched:
        yield f"- vulnerabilities were not looked for in {', '.join(found.unsearched)}: no record has a name for them"
    if found.silent:
        yield ""
        yield f"{len(found.silent)} places did not answer: {', '.join(one.package for one in found.silent)}."
