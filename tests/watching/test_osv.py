"""Vulnerabilities found in a folder of OSV records."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lode.errors import UsageError
from lode.watching.osv import Subject, Vulnerability, search

WAVE = Subject(package="wave", version="1.2.3", ecosystem="PyPI", name="Wave_Form", there="1.2.3")


def record(folder: Path, identity: str, affected: dict[str, Any], **more: Any) -> None:
    (folder / f"{identity}.json").write_text(json.dumps({"id": identity, "affected": [affected], **more}))


def pypi(*events: dict[str, str], versions: tuple[str, ...] = ()) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": "wave-form"}
    return {"package": package, "versions": list(versions), "ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}


@pytest.mark.parametrize(
    ("affected", "touched"),
    [
        (pypi({"introduced": "0"}, {"fixed": "1.2.4"}), True),
        (pypi({"introduced": "0"}, {"fixed": "1.2.3"}), False),
        (pypi({"introduced": "1.2.3"}), True),
        (pypi({"introduced": "1.3"}), False),
        (pypi({"introduced": "0"}, {"last_affected": "1.2.3"}), True),
        (pypi({"introduced": "0"}, {"last_affected": "1.2.2"}), False),
        (pypi({"fixed": "1.2"}, {"introduced": "0"}, {"introduced": "1.2.1"}, {"fixed": "1.10"}), True),
        (pypi(versions=("1.2.3",)), True),
        (pypi(versions=("1.2.30",)), False),
        ({"package": {"ecosystem": "npm", "name": "wave-form"}, "versions": ["1.2.3"]}, False),
        ({"package": {"ecosystem": "PyPI", "name": "waves"}, "versions": ["1.2.3"]}, False),
    ],
)
def test_a_version_is_touched_when_it_is_listed_or_lies_in_a_range(
    tmp_path: Path, affected: dict[str, Any], touched: bool
) -> None:
    record(tmp_path, "OSV-1", affected, summary="a hole")
    known = Vulnerability(package="wave", version="1.2.3", id="OSV-1", summary="a hole")
    assert search([WAVE], tmp_path).vulnerabilities == ((known,) if touched else ())


def test_a_repository_is_found_by_its_address_and_tag(tmp_path: Path) -> None:
    git = Subject(
        package="hdf5", version="1.14.5", ecosystem="GIT", name="https://github.com/a/hdf5.git", there="1.14.5"
    )
    ranges = [{"type": "GIT", "repo": "https://github.com/A/hdf5", "events": [{"introduced": "0"}]}]
    record(tmp_path, "OSV-2", {"ranges": ranges, "versions": ["v1.14.5"]})
    assert [one.id for one in search([git], tmp_path).vulnerabilities] == ["OSV-2"]


def test_records_are_read_from_archives_and_withdrawn_ones_passed_over(tmp_path: Path) -> None:
    record(tmp_path, "OSV-3", pypi({"introduced": "0"}), withdrawn="2026-01-01T00:00:00Z")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("OSV-4.json", json.dumps({"id": "OSV-4", "affected": [pypi({"introduced": "0"})]}))
    assert [one.id for one in search([WAVE], tmp_path).vulnerabilities] == ["OSV-4"]


def test_records_say_which_ecosystems_they_are_about(tmp_path: Path) -> None:
    record(tmp_path, "OSV-5", {"package": {"ecosystem": "Debian:12", "name": "zlib"}, "versions": ["1:1.2.13"]})
    assert search([WAVE], tmp_path).ecosystems == {"Debian"}


def test_a_folder_without_records_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        search([WAVE], tmp_path)
    assert str(caught.value) == (f"{tmp_path} holds no OSV record\n  hint: JSON files, or the all.zip of an ecosystem")
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(UsageError) as caught:
        search([WAVE], tmp_path)
    assert str(caught.value) == f"{tmp_path / 'x.json'} is no OSV record: it has no id"
