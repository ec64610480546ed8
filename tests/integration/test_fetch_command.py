"""`lode fetch` from the command line, on a collection of one recipe."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sourcing.factory import archive, source
from tests.sourcing.site import Reply, Site

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


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, ""), (signal.SIGKILL, -9, "")],
)
def test_interrupted_fetch_ends_at_once_and_the_next_goes_on_with_its_part(
    collection: Path, site: Site, own_home: Path, number: int, status: int, message: str
) -> None:
    site.put("/probe-1.0.tar", Reply(body=CONTENT, chunk=1000, chunk_wait_s=0.5), Reply(body=CONTENT))
    mirror = Mirror(own_home / "lode" / "mirror")
    part = mirror.partial(source(content=CONTENT).sha256)
    command = [sys.executable, "-m", "lode", "fetch", "probe", "-q"]
    environ = {**os.environ, "LODE_ARCHIVE": "none"}
    with subprocess.Popen(
        command, cwd=collection, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        while not (part.exists() and part.stat().st_size):
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(number)
        output, errors = running.communicate(timeout=60)
    assert (running.returncode, output, errors) == (status, "", message)
    kept = part.stat().st_size
    assert 0 < kept < len(CONTENT)
    lode(collection, "fetch", "probe", "-q")
    assert site.requests == [("/probe-1.0.tar", None), ("/probe-1.0.tar", f"bytes={kept}-")]


def test_unknown_target_and_package_are_refused(collection: Path) -> None:
    assert lode(collection, "fetch", "probe", "--target", "el9-x86_64", status=2).stderr == (
        "probe@1 is not for el9-x86_64\n  hint: its targets: debian12-x86_64\n"
    )
    assert lode(collection, "fetch", "probe", "--package", "geant4", status=2).stderr == (
        "probe@1 has no package geant4\n"
    )
