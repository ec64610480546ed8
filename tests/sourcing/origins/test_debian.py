"""Files of Debian's source archive, in the pools of the machine's mirrors."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, access, lock, no_recipe_file, node, source
from tests.sourcing.site import Site

from lode.sourcing.fetch import fetch
from lode.sourcing.mirror import Mirror
from lode.sourcing.origins.debian import parse_mirrors, parse_proxies, proxy_for


def test_debians_mirrors_come_before_unknown_ones_and_others_not_at_all() -> None:
    text = (
        "http://unknown.example/debian/ main $(ORIGIN)\n"
        "http://a.example/debian-security/ main Debian\n"
        "http://a.example/debian/ contrib Debian\n"
        "http://a.example/debian/ main Debian\n"
        "http://a.example/debian/ main Debian\n"
        "mirror+file:/etc/list/ main Debian\n"
        "https://vendor.example/ main Some Vendor\n"
    )
    assert parse_mirrors(text) == (
        ("http://a.example/debian-security/", "main"),
        ("http://a.example/debian/", "main"),
        ("http://unknown.example/debian/", "main"),
        ("http://a.example/debian/", "contrib"),
    )


def test_proxies_are_those_of_apt() -> None:
    proxies = parse_proxies(
        'Acquire::http "";\n'
        'Acquire::http::Proxy "http://proxy.example:3142";\n'
        'Acquire::http::Proxy::here.example "DIRECT";\n'
        'Acquire::https::Proxy "";\n'
    )
    assert proxies == (("http", "", "http://proxy.example:3142"), ("http", "here.example", "DIRECT"))
    assert proxy_for("http://far.example/x", proxies) == "http://proxy.example:3142"
    assert proxy_for("http://here.example/x", proxies) is None
    assert proxy_for("https://far.example/x", proxies) is None


@pytest.mark.integration
@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("zeromq3=4.3.4-6/zeromq3_4.3.4.orig.tar.gz", "/debian/pool/main/z/zeromq3/zeromq3_4.3.4.orig.tar.gz"),
        (
            "libzstd=1.5.7+dfsg-1/libzstd_1.5.7+dfsg.orig.tar.xz",
            "/debian/pool/main/libz/libzstd/libzstd_1.5.7%2Bdfsg.orig.tar.xz",
        ),
    ],
)
def test_file_is_asked_for_in_the_pool(site: Site, tmp_path: Path, location: str, path: str) -> None:
    site.put(path, b"orig")
    report = fetch(
        lock(node("x", source(f"debian {location}", content=b"orig"))), Mirror(tmp_path), targets=[TARGET],
        recipe_file=no_recipe_file, access=access(debian=(f"{site.url}/debian",)),
    )  # fmt: skip
    assert report.files[0].place == site.url + path
