"""Reports are whole, escaped and the same each time."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from tests.golden.check import same_as_golden
from tests.testing.factory import full_report, report, result

from lode.testing import report as forms
from lode.testing.results import Outcome


class Outline(HTMLParser):
    """Collects the tags and refuses what is not well nested."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(page: bytes) -> Outline:
    parser = Outline()
    parser.feed(page.decode())
    assert parser.open == []
    return parser


def test_page_is_as_it_was() -> None:
    same_as_golden("testing/tests.html", forms.html(full_report()))


def test_junit_is_as_it_was() -> None:
    same_as_golden("testing/tests.xml", forms.junit(full_report()))


def test_json_is_as_it_was() -> None:
    same_as_golden("testing/tests.json", forms.dump(full_report()))


def test_page_is_well_nested_and_needs_nothing_from_elsewhere() -> None:
    page = forms.html(full_report())
    parser = outline(page)
    for tag, attributes in parser.seen:
        assert tag not in {"script", "link", "img", "iframe", "object", "base"}
        assert not {"src", "href", "srcset"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert b"url(" not in page
    assert b"@import" not in page


def test_hostile_texts_are_escaped() -> None:
    page = forms.html(full_report()).decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", page)


def test_failures_come_before_everything_else() -> None:
    page = forms.html(full_report()).decode()
    assert page.index('id="failures"') < page.index('id="numbers"') < page.index('id="all"')


def test_page_tells_the_verdict_in_its_head() -> None:
    head = forms.html(full_report()).decode().partition("<main>")[0]
    assert "✗ 2 of 5 tests failed" in head
    assert "○ 1 skipped" in head
    assert "✓ 1 test passed" in forms.html(report(result("a", "b"))).decode()


def test_page_of_a_prefix_without_tests_says_so() -> None:
    page = forms.html(report()).decode()
    assert "This prefix has no tests." in page
    assert "no test was run" in page


def test_junit_counts_agree_with_its_cases() -> None:
    root = ET.fromstring(forms.junit(full_report()))
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures"), root.get("skipped"), root.get("errors")) == ("5", "2", "1", "0")
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["nest", "zeromq", "zlib", "stack"]
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))
        assert all(case.get("name") and case.get("classname") and case.get("time") for case in cases)


def test_junit_orders_children_as_its_schema_wants() -> None:
    order = ["properties", "skipped", "failure", "system-out"]
    for case in ET.fromstring(forms.junit(full_report())).iter("testcase"):
        tags = [child.tag for child in case]
        assert tags == sorted(tags, key=order.index)


def test_colours_and_forbidden_characters_do_not_break_the_xml() -> None:
    text = "".join(map(chr, range(0x20))) + "\ud800\ufffe￿<![CDATA[]]>"
    root = ET.fromstring(forms.junit(report(result("a", text, Outcome.FAILED, message=text, output=text))))
    assert root.find("testsuite/testcase/failure") is not None
