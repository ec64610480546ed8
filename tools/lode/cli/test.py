"""`lode test`: the tests of a stack or of any prefix, as text, JUnit XML, JSON and HTML."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import click

from lode import tree
from lode.cli.common import Session, common
from lode.definitions.catalogue import Catalogue
from lode.errors import Fault, TestFailure
from lode.installing import prefix as prefixes
from lode.testing import page
from lode.testing import report as forms
from lode.testing.results import Outcome, TestReport, TestResult, document, summary
from lode.testing.suite import Case, select
from lode.workflow import test as testing
from lode.workflow.seals import ASKED

_MARKS = {Outcome.PASSED: ("✓", "green"), Outcome.FAILED: ("✗", "red"), Outcome.SKIPPED: ("○", "yellow")}
_LINES = 40  # of a failed test's output that are shown; the reports have more


@click.command()
@click.argument("subject", metavar="STACK|PREFIX")
@click.option("--target", metavar="TARGET", help="The target whose prefix is tested, when there are several.")
@click.option("--package", "packages", multiple=True, metavar="PACKAGE",
              help='Only the tests of this package; "stack" for the stack\'s own. Repeatable.')  # fmt: skip
@click.option("--group", metavar="GROUP", help="Only the tests of the packages in this group of the stack.")
@click.option("-j", "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Tests at once; default: the CPUs.")
@click.option("--tools", is_flag=True, help="Also run the tests of what only builds need, in a prefix of its own.")
@click.option("--seal", type=click.Choice(ASKED), default="auto", show_default=True,
              help="Where tests run: a container or root of the target's runtime, or this host.")  # fmt: skip
@click.option("--site", is_flag=True, help="Skip tests that compile where the target's compiler is not installed.")
@click.option("--verify", is_flag=True, help="Compare every file of the tree with its inventory first.")
@click.option("--list", "only_list", is_flag=True, help="Say which tests there are, run none.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write JUnit XML.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page to read.")
@click.option("--update-references", "proposal", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Write reference files that this run's numbers would meet, for review.")  # fmt: skip
@common
def command(
    session: Session,
    subject: str,
    target: str | None,
    packages: tuple[str, ...],
    group: str | None,
    jobs: int | None,
    tools: bool,
    seal: str,
    site: bool,
    verify: bool,
    only_list: bool,
    junit: Path | None,
    html: Path | None,
    proposal: Path | None,
) -> None:
    """Run the tests of STACK, which was built or released here, or of the PREFIX at a path.

    A stack that was built is installed first, where its release will have it. A prefix may be tested wherever it was
    copied or mounted, read-only too. Exits with 8 when a test fails.

    \b
    Examples:
      lode test dance-mini --package nest
      lode test /cvmfs/dance.example.org/dance/2026.11/el9-x86_64 --html tests.html
      lode test ./prefix --verify --junit tests.xml
    """  # noqa: D301 - \b is click's
    progress = session.progress()
    if "/" not in subject and not prefixes.is_prefix(Path(subject)):
        catalogue = Catalogue.open(session.collections, here=session.here)
        testing.lay(catalogue, subject, session.places, target=target, progress=progress)
    found = testing.find(session.places, subject, target=target, site=site, seal=seal, environ=os.environ)
    chosen = testing.narrowed(found, packages, group)
    if only_list:
        cases = select(found.lock, found.prefix.target, group=found.prefix.group, packages=chosen)
        session.emit([_listed(case) for case in cases], "\n".join(_list(cases)))
        return
    jobs = jobs or len(os.sched_getaffinity(0))
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    report = testing.examine(found, packages=chosen, jobs=jobs, verify=verify, started=started, progress=progress)
    if tools:
        from lode.workflow.tools import examine_tools, with_tools

        results = examine_tools(
            found.lock,
            Catalogue.open(session.collections, here=session.here),
            found.prefix.target,
            places=session.places,
            jobs=jobs,
            started=started,
            progress=progress,
            again=True,
            seal=found.bench.compiling,
        )
        report = with_tools(report, results)
    for path, content in ((junit, forms.junit), (html, forms.html)):
        if path is not None:
            testing.save(path, content(report))
    if proposal is not None:
        proposed = testing.new_references(report, found.lock)
        tree.write(proposed, proposal)
        click.echo(f"{len(proposed.files)} reference files for review lie in {proposal}", err=True)
    session.emit(document(report), "\n".join(_lines(report, every=session.verbosity > 0)))
    if session.json and not report.passed:  # the one document has been printed; it says what failed
        click.get_current_context().exit(TestFailure.status)
    _refuse_failures(report, subject)


def _lines(report: TestReport, *, every: bool) -> Iterator[str]:
    """Yield a line a test, numbers below their test, and the summary; outputs of failed tests stand before it."""
    wide = max((len(_title(result)) for result in report.results), default=0)
    for result in report.results:
        mark, colour = _MARKS[result.outcome]
        told = f"{_title(result):<{wide}}  {_took(result):>8}  {_first_line(result.message)}".rstrip()
        yield f"{click.style(mark, fg=colour)} {told}"
        for number in result.numbers:
            if every or not number.agrees:
                yield (
                    f"    {number.name} = {page.number(number.value)} {number.unit}"
                    f" (reference {page.number(number.reference)}, {page.deviation(number.deviation)} tolerances)"
                )
    for result in report.results:
        if result.output and (every or result.outcome is Outcome.FAILED):
            yield from ("", click.style(f"output of {_title(result)}", bold=True))
            yield from _shortened(result.output)
    yield ""
    colour = "green" if report.passed else "red"
    yield click.style(f"{report.stack}@{report.release} on {report.target}: {summary(report)}", fg=colour)


def _took(result: TestResult) -> str:
    """Return how long a test took, empty for one that was not run."""
    return "" if result.outcome is Outcome.SKIPPED else page.seconds(result.duration_s)


def _shortened(output: str) -> Iterator[str]:
    lines = page.printable(output).splitlines()
    if len(lines) > _LINES:
        yield f"  … {len(lines) - _LINES} lines before; --html or --json has them"
    yield from (f"  {line}" for line in lines[-_LINES:])


def _title(result: TestResult) -> str:
    return f"{result.package or 'stack'}: {result.name}"


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _listed(case: Case) -> dict[str, str]:
    return {
        "package": case.package or "stack",
        "version": case.version,
        "name": case.test.name,
        "kind": case.kind,
        "lacks": case.lacks,
    }


def _list(cases: tuple[Case, ...]) -> Iterator[str]:
    wide = max((len(case.title) for case in cases), default=0)
    for case in cases:
        yield f"{case.title:<{wide}}  {case.kind:<7}  {case.lacks}".rstrip()
    yield f"{len(cases)} tests" if len(cases) != 1 else "1 test"


def _refuse_failures(report: TestReport, subject: str) -> None:
    failed = report.of(Outcome.FAILED)
    if failed:
        raise TestFailure.of(
            [
                Fault(
                    message=f"{_title(result)}: {_first_line(result.message)}",
                    hint=f"lode test {subject} --package {result.package or 'stack'} -v",
                )
                for result in failed
            ]
        )
