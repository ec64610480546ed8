"""The report of a change: nodes, failures new against old, numbers of physics, sizes and build times."""

from __future__ import annotations

from dataclasses import replace

from tests.describing.factory import mini, records
from tests.golden.check import same_as_golden
from tests.testing.factory import TARGET, lock, node, number, report, result, sha, whole

from lode.describing.moved import Release, markdown
from lode.describing.report import TargetRelease
from lode.testing.results import Outcome

FAILED = Outcome.FAILED


def release(*, changed: bool) -> Release:
    """Return dance-mini before a change, or after one of zlib that breaks a test, mends one and moves a number."""
    locked = whole(mini())
    found = records(locked)
    energy = number("energy", 1.25, 1.25)
    tests = [
        result("hdf5", "dataset", FAILED if changed else Outcome.PASSED, message="exit status 1"),
        result("nest", "links", FAILED, message="it never did"),
        result("zlib", "minizip", Outcome.PASSED if changed else FAILED),
        result("nest", "yields", numbers=(replace(energy, value=1.375, message="off") if changed else energy,)),
    ]
    if changed:
        nodes = tuple(replace(one, version="1.3.2") if one.package == "zlib" else one for one in locked.nodes)
        locked = whole(replace(locked, nodes=nodes))
        found = tuple(
            replace(
                one,
                node_hash=sha("moved"),
                record=replace(one.record, cpu_s=10 * one.record.cpu_s, size_bytes=2 * one.record.size_bytes),
            )
            if one.package in ("zlib", "hdf5")
            else one
            for one in found
        )
    target = TargetRelease(
        target=TARGET, size_bytes=2_000_000 if changed else 1_000_000, records=found, tests=report(*tests)
    )
    return locked, (target,)


def test_everything_that_moved_is_told_and_new_failures_come_first() -> None:
    text = markdown(release(changed=False), release(changed=True))
    same_as_golden("describing/moved.md", text.encode())
    assert text.index("New failures: 1") < text.index("Failed before too")


def test_a_change_that_does_nothing_says_so_and_shows_no_table_of_moves() -> None:
    text = markdown(release(changed=True), release(changed=True))
    assert "The lock is the same." in text
    assert [word for word in ("New failures", "moved", "built anew", "again") if word in text] == []


def test_without_a_release_before_all_failures_are_new() -> None:
    text = markdown(None, release(changed=False))
    assert "New: 15 nodes." in text
    assert "**New failures: 2**" in text


def test_a_target_that_is_gone_is_named() -> None:
    locked, targets = release(changed=False)
    assert f"**{TARGET.replace('_', chr(92) + '_')} is gone.**" in markdown((locked, targets), (locked, ()))


def test_texts_of_tests_are_never_markup_and_mention_nobody() -> None:
    hostile = "</td>|[x](javascript:1) @team #7 `code`\n# head"
    locked = whole(lock(node("zlib", "1.3")))
    tests = report(result("zlib", hostile, FAILED, message=hostile))
    text = markdown(None, (locked, (TargetRelease(target=TARGET, tests=tests),)))
    (line,) = [line for line in text.splitlines() if line.startswith("- zlib")]
    told = "\\</td\\>\\|\\[x\\](javascript:1) @\u200bteam \\#7 \\`code\\` \\# head"
    assert line == f"- zlib: {told}: {told}"
