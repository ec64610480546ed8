"""Files of Python package indexes, found where pip would look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, access, lock, no_recipe_file, node, source
from tests.sourcing.site import Reply, Site

from lode.errors import SourceError
from lode.sourcing.fetch import FetchReport, fetch
from lode.sourcing.mirror import Mirror
from lode.sourcing.origins.pypi import Settings, parse

SDIST = b"an sdist"
PLACE = "pypi NestPy==2.1.3/nestpy-2.1.3.tar.gz"


def test_settings_are_those_that_pip_says() -> None:
    lines = [
        ":env:.cert='/etc/ca.pem'",
        "download.extra-index-url='\\nhttps://b.example/simple\\nhttps://c.example/simple'",
        "global.index-url='https://a.example/simple/'",
        "global.find-links='/opt/wheels'",
        "global.cert='/old.pem'",
        "global.trusted-host='a.example'",
        "install.proxy='http://not-for-downloads.example'",
        "nonsense",
    ]
    assert parse(lines) == Settings(
        links=("/opt/wheels",),
        indexes=("https://a.example/simple/", "https://b.example/simple", "https://c.example/simple"),
        ca_file="/etc/ca.pem",
        trusted_hosts=("a.example",),
    )


def test_without_settings_pips_own_index_holds() -> None:
    settings = parse([])
    assert len(settings.indexes) == 1
    assert settings.indexes[0].startswith("https://")


def test_no_index_leaves_the_links() -> None:
    assert parse(["global.no-index='true'", "global.find-links='/opt/wheels'"]) == Settings(
        links=("/opt/wheels",), indexes=()
    )


def test_credentials_of_an_index_hold_for_its_host_alone() -> None:
    settings = Settings(links=(), indexes=("https://daq:s3cret@a.example/simple",), trusted_hosts=("a.example",))
    assert settings.link("https://a.example/files/x.tar.gz").url == "https://daq:s3cret@a.example/files/x.tar.gz"
    assert settings.link("https://b.example/files/x.tar.gz").url == "https://b.example/files/x.tar.gz"
    assert settings.link("https://a.example/files/x.tar.gz").trusted
    assert not settings.link("https://b.example/files/x.tar.gz").trusted


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Give pip no settings but those of the test."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return monkeypatch


def obtain(tmp_path: Path, place: str = PLACE) -> FetchReport:
    return fetch(
        lock(node("nest", source(place, content=SDIST, filename="nestpy-2.1.3.tar.gz"))), Mirror(tmp_path / "mirror"),
        targets=[TARGET], recipe_file=no_recipe_file, access=access(),
    )  # fmt: skip


@pytest.mark.integration
@pytest.mark.parametrize("place", [PLACE, "pypi nestpy==2.1.3"])
def test_file_is_found_in_an_index_of_html(site: Site, pip: pytest.MonkeyPatch, tmp_path: Path, place: str) -> None:
    pip.setenv("PIP_INDEX_URL", f"{site.url}/simple")
    page = b"<a href=../../files/nestpy-2.1.3.tar.gz>nestpy-2.1.3.tar.gz</a><a href=x>nestpy-2.1.3-py3-none-any.whl</a>"
    site.put("/simple/nestpy/", Reply(body=page, headers={"Content-Type": "text/html; charset=utf-8"}))
    site.put("/files/nestpy-2.1.3.tar.gz", SDIST)
    assert obtain(tmp_path, place).files[0].place == f"{site.url}/files/nestpy-2.1.3.tar.gz"


@pytest.mark.integration
def test_file_is_found_in_an_index_of_json_by_its_hash(site: Site, pip: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pip.setenv("PIP_INDEX_URL", f"{site.url}/simple/")
    sha256 = source(content=SDIST).sha256
    files = [
        {"filename": "nestpy-2.1.3.tar.gz", "url": "/other", "hashes": {"sha256": "0" * 64}},
        {"filename": "nestpy-2.1.3.post1.tar.gz", "url": "/right", "hashes": {"sha256": sha256}},
    ]
    page = json.dumps({"meta": {"api-version": "1.0"}, "name": "nestpy", "files": files}).encode()
    kind = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    site.put("/simple/nestpy/", Reply(status=503), Reply(body=page, headers=kind))
    site.put("/right", SDIST)
    assert obtain(tmp_path).files[0].place == f"{site.url}/right"


@pytest.mark.integration
@pytest.mark.parametrize("form", ["folder", "page", "index"])
def test_file_is_found_on_this_machine(pip: pytest.MonkeyPatch, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "simple" / "nestpy"
    folder.mkdir(parents=True)
    (folder / "nestpy-2.1.3.tar.gz").write_bytes(SDIST)
    if form == "folder":
        pip.setenv("PIP_FIND_LINKS", str(folder))
    else:
        (folder / "index.html").write_text('<a href="nestpy-2.1.3.tar.gz">nestpy-2.1.3.tar.gz</a>')
        pip.setenv("PIP_FIND_LINKS", str(folder / "index.html") if form == "page" else "")
    pip.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    assert obtain(tmp_path).files[0].place == str(folder / "nestpy-2.1.3.tar.gz")


@pytest.mark.integration
def test_every_index_and_its_answer_is_named(site: Site, pip: pytest.MonkeyPatch, tmp_path: Path) -> None:
    address = site.url.replace("http://", "http://daq:s3cret@")
    pip.setenv("PIP_INDEX_URL", f"{address}/simple")
    pip.setenv("PIP_EXTRA_INDEX_URL", f"{tmp_path.as_uri()} {site.url}/more")
    pip.setenv("PIP_FIND_LINKS", str(tmp_path))
    site.put("/more/nestpy/", Reply(body=b"<a href=x>nestpy-1.0.tar.gz</a>", headers={"Content-Type": "text/html"}))
    with pytest.raises(SourceError) as caught:
        obtain(tmp_path)
    text = str(caught.value).replace(site.url, "SITE").replace(str(tmp_path), "TMP").splitlines()[1]
    assert text == (
        "    pypi NestPy==2.1.3/nestpy-2.1.3.tar.gz: TMP: it has no nestpy-2.1.3.tar.gz; "
        "SITE/simple/nestpy/: it answered 404 Not Found; "
        "file://TMP/nestpy/: there is no such folder or page; "
        "SITE/more/nestpy/: it has no nestpy-2.1.3.tar.gz"
    )
