"""A repository's file is read whole, or every fault of it is told at its place."""

from __future__ import annotations

import pytest

from lode.definitions import read_repository
from lode.definitions.repository import Compression, Nesting, Repository, Retention
from lode.errors import DefinitionError

NAME = "dance.example.org"


def read(text: str, name: str | None = NAME) -> Repository:
    return read_repository.read(text.encode(), file="r", name=name)


def test_name_alone_is_enough() -> None:
    assert read(f"name: {NAME}\n") == Repository(name=NAME)


def test_whole_repository_is_read() -> None:
    assert read(
        f"""name: {NAME}
summary: Software
contact: a@example.org
folder: /srv/cvmfs
servers: [https://s1.example.org/cvmfs/{NAME}]
ttl_s: 900
whitelist_days: 7
chunk_bytes: 65536
compression: {{engine: zlib, level: 1}}
nesting: {{cut: ["share/*", "lib/python*"], split: 100, maximum: 1000}}
retention: {{days: 0, revisions: 2}}
images: true
"""
    ) == Repository(
        name=NAME,
        summary="Software",
        contact="a@example.org",
        folder="/srv/cvmfs",
        servers=(f"https://s1.example.org/cvmfs/{NAME}",),
        ttl_s=900,
        whitelist_days=7,
        chunk_bytes=65536,
        compression=Compression(engine="zlib", level=1),
        nesting=Nesting(cut=("lib/python*", "share/*"), split=100, maximum=1000),
        retention=Retention(days=0, revisions=2),
        images=True,
    )


@pytest.mark.parametrize(("engine", "level"), [("zlib", 6), ("libdeflate", 1)])
def test_level_is_the_engine_s_usual_one(engine: str, level: int) -> None:
    assert read(f"name: {NAME}\ncompression: {{engine: {engine}}}\n").compression.level == level


def test_every_fault_is_told_at_its_place() -> None:
    with pytest.raises(DefinitionError) as error:
        read(
            """name: Dance
compression: {engine: isal, level: 60}
nesting: {cut: [/lib], split: 2000, maximum: 1000}
retention: {revisions: 1}
ttl: 5
"""
        )
    assert str(error.value) == (
        "r:1:7: name: 'Dance' is not a repository's name\n"
        "  hint: a host's name, such as dance.example.org\n"
        "r:2:23: engine: 'isal' is not known\n"
        "  hint: one of: libdeflate, zlib\n"
        "r:2:36: level: 60 is not between 1 and 9\n"
        "r:3:17: cut: '/lib' is not a pattern of folders\n"
        "  hint: relative to the tree, such as lib/python*/site-packages/*\n"
        "r:3:31: split: 2000 is more than the maximum of 1000\n"
        "r:4:24: revisions: 1 is not between 2 and 10000\n"
        "r:5:1: repository: unknown key 'ttl'\n"
        "  hint: did you mean 'ttl_s'?"
    )


def test_file_is_named_after_the_repository() -> None:
    with pytest.raises(DefinitionError, match=r"name: 'dance\.example\.org' is in the file other\.example\.org\.yaml"):
        read(f"name: {NAME}\n", name="other.example.org")
