"""kill -9 while a layout is written or an image is pushed: what was there stays whole, and the next call goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.installing.making import sound
from tests.publishing.oci import ground
from tests.publishing.oci.faulty import State, faulty

from lode.installing.prefix import Prefix
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import oci

pytestmark = pytest.mark.integration

PACKAGES = {
    **{f"p{number}": {f"lib/lib{number}.so": os.urandom(3_000_000)} for number in range(6)},
    "nest": ground.PACKAGES["nest"],
}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    root = tmp_path_factory.mktemp("kills") / "prefix"
    return ground.prefix(root, sound(ground.lock(PACKAGES)), PACKAGES)


def lode(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lode", "image", *arguments, "--json"]


def killed(argv: list[str], when: Callable[[], bool]) -> bool:
    """Run the command and kill it as soon as `when`; return whether it was killed before its end."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while process.poll() is None and not when():
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return process.returncode == -signal.SIGKILL


def finished(argv: list[str]) -> dict[str, object]:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def whole(layout: Layout) -> tuple[str, ...]:
    """Return the tags of a layout after reading every byte that they name."""
    for tag in layout.tags():
        made = layout.get_manifest(tag)
        assert made is not None
        for one in made.manifests():
            assert layout.get_manifest(oci(one.digest)) is not None
        for blob in made.blobs():
            assert sum(len(piece) for piece in layout.get_blob(blob.digest)) == blob.size
    return layout.tags()


def test_layout_is_old_or_new_at_any_kill_and_the_next_call_completes_it(prefix: Prefix, tmp_path: Path) -> None:
    calm = finished(lode(str(prefix.root), "-o", str(tmp_path / "calm"), "--base", "scratch"))
    layout = Layout(tmp_path / "layout")
    argv = lode(str(prefix.root), "-o", str(layout.root), "--base", "scratch")
    blobs = layout.root / "blobs" / "sha256"
    kills = 0
    for count in (1, 3, 5, 7):
        kills += killed(argv, lambda count=count: blobs.is_dir() and len(list(blobs.iterdir())) >= count)  # type: ignore[misc]
        assert whole(layout) in ((), ("2026.11", "2026.11-debian12-x86_64"))
    assert kills
    last = finished(argv)
    assert whole(layout) == ("2026.11", "2026.11-debian12-x86_64")
    assert last["indexes"] == calm["indexes"]
    assert not (layout.root / ".partial").exists()


def test_first_blob_may_be_half_written_at_a_kill(prefix: Prefix, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    argv = lode(str(prefix.root), "-o", str(layout.root), "--base", "scratch")
    parts = layout.root / ".partial"
    assert killed(argv, lambda: any(part.stat().st_size for part in parts.glob("new-*")))
    assert whole(layout) == ()
    finished(argv)
    assert not parts.exists()


def pushing(state: State, prefix: Prefix, layout: Path) -> list[str]:
    name = f"{state.host}/kills/mini"
    return lode(str(prefix.root), "-o", str(layout), "--base", "scratch", "--push", name)


def test_push_leaves_no_tag_at_any_kill_and_the_next_call_sends_the_rest(prefix: Prefix, tmp_path: Path) -> None:
    size = sum(len(content) for files in PACKAGES.values() for content in files.values())
    with faulty() as state:
        argv = pushing(state, prefix, tmp_path / "layout")
        for share in (0.2, 0.5, 0.8):
            assert killed(argv, lambda share=share: state.received > share * size)  # type: ignore[misc]
            assert "2026.11" not in state.manifests
        told = finished(argv)
        assert told["pushed"]["names"] == [  # type: ignore[index]
            f"{state.host}/kills/mini:2026.11-debian12-x86_64",
            f"{state.host}/kills/mini:2026.11",
        ]
        assert "2026.11" in state.manifests
        once = sum(len(content) for content in state.blobs.values())
        assert state.received <= once + 3 * 4 * 3_000_000  # at most what four connections had under way at each kill
