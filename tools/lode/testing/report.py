"""The report of a test run in the forms that people and other programs read: HTML, JUnit XML and JSON."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from lode.testing import page
from lode.testing.results import Outcome, TestReport, TestResult, dump

__all__ = ["dump", "html", "junit"]


def html(report: TestReport) -> bytes:
    """Return the report as one self-contained page: failures with their output first, then numbers, then all tests."""
    return page.render("testing", "tests.html.j2", report=report, outcomes=Outcome)


def junit(report: TestReport) -> bytes:
    """Return the report as JUnit XML, one test suite a package; UTF-8 with an XML declaration.

    The form is that of https://github.com/testmoapp/junitxml, which GitLab, Jenkins and GitHub's reporters read: a
    skipped or failed test has a child that says so, numbers are properties of their test.
    """
    root = ET.Element("testsuites", _counts(report.results))
    root.set("name", f"{report.stack} {report.release} {report.target}")
    for package, results in report.packages():
        suite = ET.SubElement(root, "testsuite", _counts(results))
        suite.set("name", package or "stack")
        if report.started:
            suite.set("timestamp", report.started)
        _properties(
            suite,
            (
                ("stack", report.stack),
                ("release", report.release),
                ("target", report.target),
                ("version", results[0].version),
                ("lock", report.lock_digest),
                ("inventory", report.inventory),
            ),
        )
        for result in results:
            _case(suite, report, result)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'.encode()


def _case(suite: ET.Element, report: TestReport, result: TestResult) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        name=page.printable(result.name),
        classname=f"{report.stack}.{result.package or 'stack'}",
        time=f"{result.duration_s:.3f}",
    )
    _properties(
        case,
        (("where", result.where),) * bool(result.where)
        + tuple(
            (
                f"number:{number.name}",
                f"{page.number(number.value)} (reference {page.number(number.reference)} {number.unit},"
                f" {page.deviation(number.deviation)} tolerances)",
            )
            for number in result.numbers
        ),
    )
    if result.outcome is Outcome.SKIPPED:
        ET.SubElement(case, "skipped", message=page.printable(result.message))
    elif result.outcome is Outcome.FAILED:
        failure = ET.SubElement(case, "failure", message=page.printable(result.message), type=result.cause)
        wrong = [number.message for number in result.numbers if not number.agrees]
        failure.text = page.printable("\n".join([result.message, *wrong]))
    if result.output:
        ET.SubElement(case, "system-out").text = page.printable(result.output)


def _properties(parent: ET.Element, pairs: tuple[tuple[str, str], ...]) -> None:
    if pairs:
        properties = ET.SubElement(parent, "properties")
        for name, value in pairs:
            ET.SubElement(properties, "property", name=page.printable(name), value=page.printable(value))


def _counts(results: tuple[TestResult, ...]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(result.outcome is Outcome.FAILED for result in results)),
        "errors": "0",
        "skipped": str(sum(result.outcome is Outcome.SKIPPED for result in results)),
        "time": f"{sum(result.duration_s for result in results):.3f}",
    }
