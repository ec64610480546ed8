"""The status page: each stack on each target over time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.describing.factory import mini, records
from tests.golden.check import same_as_golden
from tests.testing.factory import TARGET, report, result, sha, whole

from lode.describing.report import TargetRelease
from lode.describing.status import Entry, entries, html, lines, points
from lode.testing.results import Outcome

LOCK = whole(mini())


def entry(day: int, *, built: int = 22, failed: bool = False, changed: str = "", where: str = "") -> Entry:
    """Return dance-mini as it was tested on a day of November, its nodes built on another, `changed` not the same."""
    found = tuple(
        replace(
            one,
            inventory=sha("other") if one.package == changed else one.inventory,
            record=replace(one.record, started=f"2026-11-{built}T10:00:00Z", size_bytes=day * one.record.size_bytes),
        )
        for one in records(LOCK)
    )
    outcome = Outcome.FAILED if failed else Outcome.PASSED
    tests = report(result("nest", "links"), result("zlib", "links", outcome), started=f"2026-11-{day}T10:00:00Z")
    (made,) = entries(LOCK, [TargetRelease(target=TARGET, records=found, tests=tests)], where=where)
    return made


def test_page_is_as_it_was_reviewed() -> None:
    found = [entry(22), entry(23, built=23, failed=True, changed="zlib", where="releases/23/report.html")]
    same_as_golden("describing/status.html", html(found, version="1.0"))


def test_releases_of_a_stack_come_newest_first_whatever_the_order_they_were_found_in() -> None:
    (line,) = lines([entry(23), entry(25, failed=True), entry(22)])
    assert [one.date[8:10] for one in line.entries] == ["25", "23", "22"]
    assert line.state == "bad"


def test_a_node_counts_as_reproduced_only_when_it_was_built_again_and_came_out_the_same() -> None:
    (reused,) = lines([entry(22), entry(23)])  # the second took from a store what the first had built
    assert (reused.compared, reused.same) == (0, 0)
    (rebuilt,) = lines([entry(22), entry(23, built=23)])
    assert (rebuilt.compared, rebuilt.same) == (15, 15)
    (differs,) = lines([entry(22), entry(23, built=23, changed="zlib")])
    assert (differs.compared, differs.same) == (15, 14)


def test_a_release_without_tests_waits_and_hostile_names_are_text() -> None:
    (bare,) = entries(replace(LOCK, stack="<b>x</b>"), [TargetRelease(target=TARGET)])
    page = html([bare], version="1.0", title="<script>").decode()
    assert "no test was run" in page
    assert "<b>x" not in page
    assert "<script" not in page
    assert "No release yet." in html([], version="1.0").decode()


def test_several_stacks_have_an_overview_that_leads_to_each() -> None:
    found = [replace(entry(22, failed=name == "b"), stack=name) for name in ("a", "b", "c")]
    page = html(found, version="1.0").decode()
    for name, mark in (("a", "✓"), ("b", "✗"), ("c", "✓")):
        assert f'href="#{name}.{TARGET}">{mark} {name} {TARGET}</a>' in page
        assert f'id="{name}.{TARGET}"' in page
    assert "overview" not in html(found[:2], version="1.0").decode().partition("</style>")[2]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e15)), max_size=80))
def test_a_graph_stays_inside_of_its_frame(values: list[float | None]) -> None:
    drawn = points(values)
    known = [value for value in values[-60:] if value is not None]
    assert bool(drawn) == (len(known) > 1)
    for point in drawn.split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= 240.1
        assert 0 <= y <= 44
