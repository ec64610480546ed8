"""`lode fetch` from the command line, on a collection of one recipe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sourcing.factory import archive, source
from tests.sourcing.site import Site

from lode.sourcing.mirror import Mirror

pytestmark = pytest.mark.integration

CONTENT = archive({"probe-1.0/main.c": b"int main;\n"}, form="")


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


@pytest.fixture
def collection(tmp_path: Path, site: Site) -> Path:
    """Return a folder with a locked stack `probe` whose one source is on `site`, below a shipped target."""
    root = tmp_path / "collection"
    wanted = source(content=CONTENT)
    files = {
        "collection.yaml": 'name: probe\nversion: "1"\nsummary: One recipe\n',
        "recipes/probe/recipe.yaml": (
            "name: probe\nsummary: A probe\nhomepage: https://example.org/\nlicense: MIT\n"
            f'versions:\n  - version: "1.0"\n    source:\n      - url: {site.url}/probe-1.0.tar\n'
            f"        sha256: {wanted.sha256}\n"
            "dependencies: {build: [c]}\nbuild: {system: make}\n"
        ),
        "stacks/probe/1/stack.yaml": (
            'name: probe\nrelease: "1"\nsummary: A probe\ndate: "2026-11-22"\ntargets: [debian12-x86_64]\n'
            "requirements: [probe]\npublish: {cvmfs: probe.example.org}\n"
        ),
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    lode(root, "lock", "probe")
    return root


def lode(folder: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "LODE_ARCHIVE": "none"}
    command = [sys.executable, "-m", "lode", *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_table_says_what_came_and_what_was_there(collection: Path, site: Site, own_home: Path) -> None:
    site.put("/probe-1.0.tar", CONTENT)
    mirror = own_home / "lode" / "mirror"
    assert lode(collection, "fetch", "probe").stdout == (
        f"probe  probe-1.0.tar  10.2 kB  fetched\n1 fetched (10.2 kB), 0 were there; mirror: {mirror}\n"
    )
    assert lode(collection, "fetch", "probe", "--offline").stdout == (
        f"probe  probe-1.0.tar  10.2 kB  cached\n0 fetched (0 B), 1 were there; mirror: {mirror}\n"
    )


def test_json_has_path_and_place(collection: Path, site: Site, tmp_path: Path) -> None:
    url = site.put("/probe-1.0.tar", CONTENT)
    mirror = Mirror(tmp_path / "mirror")
    wanted = source(content=CONTENT, filename="probe-1.0.tar")
    done = lode(collection, "fetch", "probe@1", "-o", str(mirror.root), "--json", "-q")
    assert json.loads(done.stdout) == {
        "mirror": str(mirror.root),
        "fetched_bytes": len(CONTENT),
        "files": [
            {
                "packages": ["probe"],
                "file": "probe-1.0.tar",
                "sha256": wanted.sha256,
                "path": str(mirror.path(wanted)),
                "size": len(CONTENT),
                "outcome": "fetched",
                "place": url,
            }
        ],
    }
    assert done.stderr == ""


def test_missing_source_ends_with_its_own_status(collection: Path, site: Site) -> None:
    done = lode(collection, "fetch", "probe", "-q", status=6)
    assert done.stdout == ""
    assert re.sub(r"[0-9a-f]{64}|/\S+/mirror|/[0-9a-f]{2}/", "…", done.stderr.replace(site.url, "SITE")) == (
        "probe: probe-1.0.tar (sha256 …) is not to be had; asked were\n"
        "    url SITE/probe-1.0.tar: it answered 404 Not Found\n"
        "  hint: put the file at …/_source-cache/archive…….tar, or name a mirror that has it with --mirror\n"
    )


def test_unknown_target_and_package_are_refused(collection: Path) -> None:
    assert lode(collection, "fetch", "probe", "--target", "el9-x86_64", status=2).stderr == (
        "probe@1 is not for el9-x86_64\n  hint: its targets: debian12-x86_64\n"
    )
    assert lode(collection, "fetch", "probe", "--package", "geant4", status=2).stderr == (
        "probe@1 has no package geant4\n"
    )
