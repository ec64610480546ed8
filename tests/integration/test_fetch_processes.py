"""Fetching by whole processes: two at once, one that is killed, a full disk, a folder that cannot be written."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, access, archive, lock, no_recipe_file, node, source
from tests.sourcing.site import Reply, Site

from lode.errors import HostError, SourceError
from lode.locking.graph import LockedSource
from lode.sourcing.fetch import Outcome, fetch
from lode.sourcing.mirror import Mirror
from lode.sourcing.stage import stage

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
CONTENT = hashlib.shake_128(b"a large tarball").digest(2_000_000)
CHILD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from lode.sourcing.fetch import fetch
    from lode.sourcing.mirror import Mirror
    from tests.sourcing.factory import TARGET, access, lock, no_recipe_file, node, source

    mirror, url, sha256 = sys.argv[1:]
    report = fetch(
        lock(node("thing", source(f"url {url}", sha256=sha256))), Mirror(Path(mirror)), targets=[TARGET],
        recipe_file=no_recipe_file, access=access(),
    )
    print(report.files[0].outcome)
    """
)


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def start(mirror: Mirror, url: str, wanted: LockedSource) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(mirror.root), url, wanted.sha256]
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tools'}"}
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition: object, limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def final_names(mirror: Mirror) -> list[str]:
    return sorted(path.name for path in (mirror.root / "_source-cache").rglob("*") if path.is_file())


def obtain(mirror: Mirror, *sources: LockedSource, **options: object) -> Outcome:
    report = fetch(
        lock(*(node(f"p{index}", one) for index, one in enumerate(sources))), mirror, targets=[TARGET],
        recipe_file=no_recipe_file, access=access(), **options,
    )  # type: ignore[arg-type]  # fmt: skip
    return report.files[0].outcome


def test_two_at_once_fetch_once(site: Site, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror")
    url = site.put("/t", Reply(body=CONTENT, chunk=100_000, chunk_wait_s=0.05))
    wanted = source(f"url {url}", content=CONTENT)
    processes = [start(mirror, url, wanted) for _ in range(3)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert sorted(out.strip() for out, _ in outputs) == ["cached", "cached", "fetched"]
    assert len(site.requests) == 1
    assert mirror.path(wanted).read_bytes() == CONTENT


def test_kill_leaves_a_part_that_the_next_fetch_goes_on_with(site: Site, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror")
    url = site.put("/t", Reply(body=CONTENT, chunk=50_000, chunk_wait_s=0.05), Reply(body=CONTENT))
    wanted = source(f"url {url}", content=CONTENT)
    part = mirror.partial(wanted.sha256)
    process = start(mirror, url, wanted)
    wait_for(lambda: part.exists() and part.stat().st_size >= 200_000)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = part.stat().st_size
    assert not mirror.has(wanted)
    assert obtain(mirror, wanted) is Outcome.FETCHED
    assert site.requests == [("/t", None), ("/t", f"bytes={kept}-")]
    assert mirror.path(wanted).read_bytes() == CONTENT
    assert not part.exists()


def test_interruption_ends_a_fetch_that_waits_for_a_silent_server(site: Site, tmp_path: Path) -> None:
    url = site.put("/t", Reply(body=CONTENT, wait_s=30))
    process = start(Mirror(tmp_path), url, source(content=CONTENT))
    wait_for(lambda: site.requests)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 15  # the server says nothing for 30 s
    assert "KeyboardInterrupt" in errors


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk_is_said_and_leaves_nothing_half(site: Site, small_disk: Path) -> None:
    mirror = Mirror(small_disk / "mirror")
    wanted = source(f"url {site.put('/t', CONTENT)}", content=CONTENT)
    with pytest.raises(HostError) as caught:
        obtain(mirror, wanted)
    assert str(caught.value) == (
        f"cannot write to {mirror.root}/.lode/partial/{wanted.sha256}.part: No space left on device\n"
        "  hint: free some space or choose another folder"
    )
    assert final_names(mirror) == []
    assert list((mirror.root / ".lode" / "partial").iterdir()) == []


def test_full_disk_ends_the_other_downloads(site: Site, small_disk: Path) -> None:
    other = hashlib.shake_128(b"another").digest(3_000_000)
    sources = [
        source(f"url {site.put('/big', CONTENT)}", content=CONTENT),
        source(f"url {site.put('/slow', Reply(body=other, chunk=1000, chunk_wait_s=0.1))}", content=other),
    ]
    began = time.monotonic()
    with pytest.raises(HostError, match="No space left on device"):
        obtain(Mirror(small_disk), *sources)
    assert time.monotonic() - began < 10


def test_full_disk_while_unpacking_is_said_and_leaves_nothing(small_disk: Path, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror")
    content = archive({"top/a": CONTENT})
    wanted = source(content=content)
    mirror.path(wanted).parent.mkdir(parents=True)
    mirror.path(wanted).write_bytes(content)
    with pytest.raises(HostError) as caught:
        stage(
            node("thing", wanted), TARGET, mirror, file=lambda *_: b"", recipe_file=no_recipe_file,
            destination=small_disk / "tree",
        )  # fmt: skip
    assert str(caught.value) == (
        f"cannot write to {small_disk}/tree: No space left on device\n  hint: free some space or choose another folder"
    )
    assert list(small_disk.iterdir()) == []


def test_folder_that_cannot_be_written_is_said(site: Site, small_disk: Path) -> None:
    mirror = Mirror(small_disk / "mirror")
    mirror.root.mkdir()
    wanted = source(f"url {site.put('/t', b'x')}", content=b"x")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(HostError) as caught:
        obtain(mirror, wanted)
    assert str(caught.value) == (
        f"cannot write to {mirror.root}: Read-only file system\n  hint: choose a folder that can be written"
    )
    assert site.requests == []


def test_full_mirror_that_cannot_be_written_is_enough(site: Site, small_disk: Path) -> None:
    mirror = Mirror(small_disk)
    wanted = source(f"url {site.put('/t', b'x')}", content=b"x")
    obtain(mirror, wanted)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert obtain(mirror, wanted) is Outcome.CACHED


def test_error_of_one_source_does_not_end_the_others(site: Site, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path)
    good = source(f"url {site.put('/good', Reply(body=CONTENT, wait_s=0.3))}", content=CONTENT)
    with pytest.raises(SourceError) as caught:
        obtain(mirror, source(f"url {site.url}/gone", content=b"gone"), good)
    assert len(caught.value.faults) == 1
    assert mirror.has(good)


def test_threads_are_gone_after_a_fetch(site: Site, tmp_path: Path) -> None:
    before = threading.active_count()
    obtain(Mirror(tmp_path), source(f"url {site.put('/t', b'x')}", content=b"x"))
    wait_for(lambda: not [t for t in threading.enumerate() if t.name.startswith("fetch")])
    assert threading.active_count() <= before + 1  # the server's own
