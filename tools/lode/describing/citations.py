"""Whom to cite for a release: the works behind every package in it, as text, BibTeX and a Citation File Format file."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from lode.locking.graph import Lock

_LATEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}"} | {character: f"\\{character}" for character in "&%$#_"}
_LATEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A work to cite, by its DOI, and the package of the release that asks for it."""

    package: str
    version: str
    summary: str
    homepage: str
    doi: str

    @property
    def url(self) -> str:
        """Return the address that resolves the DOI."""
        return f"https://doi.org/{self.doi}"


def citations(lock: Lock) -> tuple[Citation, ...]:
    """Return every work that a package of the release asks to cite, by package and then as its recipe orders them."""
    return tuple(
        Citation(package=node.package, version=node.version, summary=node.summary, homepage=node.homepage, doi=doi)
        for node in lock.nodes
        for doi in node.cite
    )


def text(lock: Lock) -> str:
    """Return the citations as plain text, one line a work."""
    head = f"{lock.stack} {lock.release}: please cite the software that your result was made with.\n\n"
    lines = [f"{each.package} {each.version}: {each.url}\n" for each in citations(lock)]
    return head + ("".join(lines) or "No package of this release asks for a citation.\n")


def bibtex(lock: Lock) -> str:
    """Return the citations as BibTeX, one `@misc` a work; authors are left to whoever resolves the DOI."""
    entries = []
    for place, each in enumerate(citations(lock)):
        fields = {
            "title": f"{{{_latex(each.package)}: {_latex(each.summary)}}}",
            "version": _latex(each.version),
            "doi": each.doi,
            "url": each.url,
        }
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
        entries.append(f"@misc{{{re.sub('[^a-z0-9]', '', each.package)}{place + 1},\n{lines}}}\n")
    return "\n".join(entries)


def cff(lock: Lock) -> str:
    """Return the release as a CITATION.cff (Citation File Format 1.2.0), with every package that has a DOI."""
    document = {
        "cff-version": "1.2.0",
        "message": "Please cite the software that your result was made with.",
        "type": "software",
        "title": lock.stack,
        "abstract": lock.summary,
        "version": lock.release,
        "date-released": lock.date,
        "authors": [{"name": f"The maintainers of {lock.stack}"}],
        "references": [
            {
                "type": "software",
                "title": each.package,
                "abstract": each.summary,
                "version": each.version,
                "authors": [{"name": f"The authors of {each.package}"}],
                "url": each.homepage,
                "doi": each.doi,
            }
            for each in citations(lock)
        ],
    }
    if not document["references"]:
        del document["references"]
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
