"""Where new releases are looked for, from what a recipe says of its sources."""

from __future__ import annotations

import re
import tomllib

import pytest

from lode.definitions import read_recipe
from lode.definitions.recipe import Recipe
from lode.watching.places import Kind, Watched, watched
from lode.watching.upstream import config

SHA = "ab" * 32
HUB = "https://github.com/a/b"
LAB = "https://gitlab.cern.ch/a/b"


def recipe(source: str, version: str = "1.2.3", homepage: str = "https://example.org") -> Recipe:
    text = (
        f"name: wave\nsummary: Waves\nhomepage: {homepage}\nlicense: MIT\nversions:\n  - version: '{version}'\n"
        f"    source:\n      - {source}\n        sha256: {SHA}\nbuild: {{system: make}}\n"
    )
    return read_recipe.read(text.encode(), file="recipe.yaml")


def place(source: str, version: str = "1.2.3", homepage: str = "https://example.org") -> Watched:
    found = watched(recipe(source, version, homepage))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("source", "version", "where", "tag", "means"),
    [
        ("url: {hub}/archive/refs/tags/v1.2.3.tar.gz", "1.2.3", HUB, "v1.10", "1.10"),
        ("url: {hub}/archive/v1.2.3.tar.gz", "1.2.3", HUB, "v2.0.0", "2.0.0"),
        ("url: {hub}/archive/refs/tags/v3_15_00.tar.gz", "3.15.00", HUB, "v3_16_01", "3.16.01"),
        ("url: {hub}/releases/download/v1.2.3/b-1.2.3.tar.gz", "1.2.3", HUB, "v1.3", "1.3"),
        ("url: https://gitlab.cern.ch/a/b/-/archive/b_1_2/b-b_1_2.tar.gz", "1.2", LAB, "b_1_4", "1.4"),
        ("git: {hub}.git@" + "a" * 40, "1.2", HUB, "v1.9.1", "1.9.1"),
    ],
)  # fmt: skip
def test_tags_of_a_forge_mean_versions_as_the_recipe_spells_them(
    source: str, version: str, where: str, tag: str, means: str
) -> None:
    found = place(source.format(hub=HUB), version)
    match = re.fullmatch(found.pattern, tag)
    assert (found.kind, found.where) == (Kind.TAGS, f"{where}.git")
    assert match is not None
    assert found.version(match[1]) == means


@pytest.mark.parametrize("tag", ["v1.3-rc1", "nightly", "wave-1.3", "v1.3\n"])
def test_tags_that_are_spelled_otherwise_are_no_releases(tag: str) -> None:
    found = place("url: https://github.com/a/b/archive/refs/tags/v1.2.3.tar.gz")
    assert not re.fullmatch(found.pattern, tag)


@pytest.mark.parametrize(
    ("url", "where", "page"),
    [
        ("https://x.org/pub/wave-1.2.3.tar.gz", "https://x.org/pub/", '<a href="wave-1.4.tar.gz">'),
        ("https://x.org/release/1.2.3/source/w_1.2.3.tgz", "https://x.org/release/", '<a href="1.4/">1.4/</a>'),
    ],
)
def test_archives_of_a_folder_show_in_its_listing(url: str, where: str, page: str) -> None:
    found = place(f"url: {url}")
    assert (found.kind, found.where) == (Kind.LISTING, where)
    assert re.findall(found.pattern, page) == ["1.4"]


def test_a_project_of_an_index_is_watched_there_but_not_what_lies_inside_of_another() -> None:
    assert place("pypi: Wave==1.2.3/wave-1.2.3.tar.gz") == Watched(package="wave", kind=Kind.INDEX, where="Wave")
    assert watched(recipe("pypi: ocean==7.0/ocean-7.0.tar.gz")) is None


def test_only_debians_archive_leads_to_the_homepage_and_else_to_debian() -> None:
    source = "debian: wave=1.2.3+dfsg-1/wave_1.2.3+dfsg.orig.tar.gz"
    assert place(source, homepage="https://github.com/a/b").where == "https://github.com/a/b.git"
    found = place(source)
    assert (found.kind, found.where) == (Kind.DEBIAN, "wave")
    assert [found.version(text) for text in ("1.4", "1:1.4+dfsg1", "1.4+repack", "1.4~dfsg")] == ["1.4"] * 4


def test_an_address_that_a_shell_would_read_is_not_watched() -> None:
    assert watched(recipe("url: https://github.com/a$(id)/b/archive/v1.2.3.tar.gz")) is None
    assert watched(recipe("url: https://x.org/a;id/wave-1.2.3.tar.gz")) is None


def test_configuration_of_the_checker_is_toml_that_says_every_place() -> None:
    places = [
        place("url: https://github.com/a/b/archive/v1.2.3.tar.gz"),
        place("url: https://x.org/pub/wave-1.2.3.tar.gz"),
        place("debian: wave=1.2.3-1/wave_1.2.3.orig.tar.gz"),
    ]
    said = [tomllib.loads(config([one]))["wave"] for one in places]
    pattern = r"v([0-9]+(?:\.[0-9]+)*)"
    assert said == [
        {
            "source": "git",
            "git": "https://github.com/a/b.git",
            "include_regex": pattern,
            "from_pattern": f"^{pattern}$",
            "to_pattern": r"\1",
        },
        {
            "source": "regex",
            "url": "https://x.org/pub/",
            "regex": r'"(?:[^"]*/)?wave\-([0-9]+(?:\.[0-9]+)*)\.tar\.gz"',
        },
        {"source": "debianpkg", "debianpkg": "wave", "strip_release": True},
    ]
