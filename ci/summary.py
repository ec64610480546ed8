"""Prints what was skipped and why over all pytest runs of ci/run, and the sum of their counts as the last line.

Reads the JUnit reports `pytest-*.xml` and `skipped-steps.txt` in the folder given; exits with 1 when a test failed or
when no test ran at all.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET  # our own files
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def read(report: Path) -> tuple[Counter[str], Counter[str]]:
    """Return how many tests passed, failed and were skipped in a JUnit report, and the reasons for skipping."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            counts["failed"] += 1
        elif skipped is not None:
            counts["skipped"] += 1
            reasons[skipped.get("message") or "no reason given"] += 1
        else:
            counts["passed"] += 1
    return counts, reasons


def summary(folder: Path) -> tuple[list[str], bool]:
    """Return the lines to print for the reports in `folder`, and whether tests ran and none failed."""
    total: Counter[str] = Counter()
    lines = ["", "== summary"]
    reasons: list[str] = []
    for report in sorted(folder.glob("pytest-*.xml")):
        counts, why = read(report)
        total += counts
        name = report.stem.removeprefix("pytest-")
        lines.append(f"{name}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
        reasons += [f"  {name}: {number} x {reason}" for reason, number in sorted(why.items())]
    steps = folder / "skipped-steps.txt"
    if steps.exists():
        reasons += [f"  step {line}" for line in steps.read_text().splitlines()]
    lines += ["skipped:", *reasons] if reasons else ["nothing was skipped"]
    lines.append(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return lines, total["passed"] > 0 and total["failed"] == 0


def main(arguments: Sequence[str]) -> int:
    """Print the summary of the folder given; return 0 when tests ran and none failed, else 1."""
    lines, good = summary(Path(arguments[0]))
    print("\n".join(lines))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
