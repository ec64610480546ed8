"""Licences are counted, and what may not be handed on stands first."""

from tests.testing.factory import lock, node

from lode.describing import licences


def test_text_warns_of_what_may_not_be_redistributed() -> None:
    locked = lock(
        node("a", license="MIT"),
        node("b", license="LicenseRef-Ours", redistributable=False),
        node("c", license="MIT"),
        node("d", license="Apache-2.0"),
    )
    assert licences.text(locked) == (
        "mini 2026.11: the licences of its packages, as SPDX expressions.\n"
        "\n"
        "These may not be redistributed; they stay out of published images and trees:\n"
        "  b 1.0 (LicenseRef-Ours)\n"
        "\n"
        "MIT\n"
        "  a 1.0  https://a.example.org\n"
        "  c 1.0  https://c.example.org\n"
        "\n"
        "Apache-2.0\n"
        "  d 1.0  https://d.example.org\n"
        "\n"
        "LicenseRef-Ours\n"
        "  b 1.0  https://b.example.org\n"
    )


def test_text_of_a_free_release_has_no_warning() -> None:
    assert "redistributed" not in licences.text(lock(node("a")))
