from __future__ import annotations

import pytest

from lode.errors import UsageError
from lode.publishing.oci.reference import parse

HEX = "0" * 64


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag"),
    [
        ("ghcr.io/dance/mini:2026.11", "ghcr.io", "dance/mini", "2026.11"),
        ("127.0.0.1:5000/mini", "127.0.0.1:5000", "mini", None),
        ("localhost/mini:1", "localhost", "mini", "1"),
        ("[::1]:5000/mini", "[::1]:5000", "mini", None),
        ("dance/mini", "docker.io", "dance/mini", None),
        ("debian:12", "docker.io", "library/debian", "12"),
        ("docker://ghcr.io/dance/mini", "ghcr.io", "dance/mini", None),
    ],
)
def test_names_are_read_as_docker_reads_them(text: str, host: str, repository: str, tag: str | None) -> None:
    found = parse(text)
    assert (found.host, found.repository, found.tag) == (host, repository, tag)


def test_name_with_a_digest_is_written_as_it_was_read() -> None:
    text = f"ghcr.io/dance/mini:2026.11@sha256:{HEX}"
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "ghcr.io/Dance/mini",
            "'Dance/mini' is no repository: it has lower-case letters, digits, and single separators between them",
        ),
        ("ghcr.io/dance/mini:", "'' is no tag"),
        ("ghcr.io/dance/mini:a b", "'a b' is no tag"),
        ("ghcr.io/dance/mini@sha256:12", "'sha256:12' is no sha256 digest"),
        ("gh cr.io/dance", "'gh cr.io' is no host"),
    ],
)
def test_name_that_is_none_is_refused_with_the_reason(text: str, wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert str(caught.value) == f"{text} names no image: {wrong}\n  hint: as in ghcr.io/experiment/stack:2026.11"


@pytest.mark.parametrize(
    ("text", "local"), [("localhost:5000/a", True), ("127.1.2.3/a", True), ("[::1]:5000/a", True), ("ghcr.io/a", False)]
)
def test_registry_of_this_machine_is_told_from_others(text: str, local: bool) -> None:
    assert parse(text).local is local
