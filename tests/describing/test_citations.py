"""Citations name every work of every package, in forms that other programs read."""

import yaml
from tests.describing.factory import mini
from tests.testing.factory import lock, node

from lode.describing import citations


def test_text_names_each_work_of_each_package() -> None:
    assert citations.text(mini()) == (
        "dance-mini 2026.11: please cite the software that your result was made with.\n"
        "\n"
        "nest 2.4.0: https://doi.org/10.5281/zenodo.2535713\n"
        "nest 2.4.0: https://doi.org/10.1088/1748-0221/6/10/P10002\n"
        "numpy 2.3.1: https://doi.org/10.1038/s41586-020-2649-2\n"
    )


def test_text_of_a_release_without_citations_says_so() -> None:
    assert citations.text(lock(node("a"))).endswith("\nNo package of this release asks for a citation.\n")


def test_bibtex_escapes_what_latex_would_read() -> None:
    entries = citations.bibtex(lock(node("a-b", "1_0", summary="50% of $x & {y} \\z~^", cite=("10.1/2",))))
    assert entries == (
        "@misc{ab1,\n"
        "  title = {{a-b: 50\\% of \\$x \\& \\{y\\} \\textbackslash{}z\\textasciitilde{}\\textasciicircum{}}},\n"
        "  version = {1\\_0},\n"
        "  doi = {10.1/2},\n"
        "  url = {https://doi.org/10.1/2},\n"
        "}\n"
    )


def test_bibtex_keys_are_unique() -> None:
    keys = [line for line in citations.bibtex(mini()).splitlines() if line.startswith("@")]
    assert keys == ["@misc{nest1,", "@misc{nest2,", "@misc{numpy3,"]


def test_citation_file_has_what_its_schema_asks_for() -> None:
    document = yaml.safe_load(citations.cff(mini()))
    assert {"cff-version", "message", "title", "authors"} <= set(document)
    assert (document["version"], str(document["date-released"])) == ("2026.11", "2026-11-01")
    for reference in document["references"]:
        assert {"type", "title", "authors", "doi"} <= set(reference)
    assert "references" not in yaml.safe_load(citations.cff(lock(node("a"))))
