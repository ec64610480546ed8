"""Programs of newer Debian suites for the tests, fetched by an apt of their own and unpacked; nothing is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest

CACHE = Path(f"/var/tmp/lode-test-tools-{os.getuid()}")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def unpacked(package: str, suite: str, *, whole: bool = False) -> Path:
    """Return the folder with the unpacked `package` of a Debian suite; the test is skipped when apt cannot serve it.

    With `whole`, all packages that it depends on are unpacked into the same folder, the C library among them.

    Signatures are checked by apt with Debian's own keys. What was unpacked once is kept for other tests and runs.
    """
    if shutil.which("apt-get") is None or not KEYRING.is_file():
        pytest.skip("needs Debian's apt and its archive keyring")
    CACHE.mkdir(mode=0o700, exist_ok=True)
    if CACHE.is_symlink() or CACHE.stat().st_uid != os.getuid():
        pytest.skip(f"{CACHE} belongs to somebody else")
    place = CACHE / f"{package}-{suite}{'-whole' if whole else ''}"
    with filelock.FileLock(CACHE / f"{suite}.lock"):
        if not place.is_dir():
            _fetch(package, suite, place, whole=whole)
    return place


def _fetch(package: str, suite: str, place: Path, *, whole: bool) -> None:
    mirror = next(_mirrors(), None)
    if mirror is None:
        pytest.skip("apt here knows no Debian mirror")
    root = CACHE / f"apt-{suite}"
    for folder in ("state/lists/partial", "cache/archives/partial", "new"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    (root / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": root / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": root / "state",
        "Dir::State::status": root / "status",
        "Dir::Cache": root / "cache",
        "APT::Sandbox::User": "root" if os.getuid() == 0 else "",
        "Acquire::Check-Valid-Until": "false",  # a mirror may be older than its date; its signature still counts
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Debug::NoLocking": "true",  # nothing is installed, and a lock of our own is held
    }
    apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    archives = root / "cache" / "archives" if whole else root / "new"
    words = ["download"]
    if whole:
        words = ["install", "--yes", "--download-only", "--no-install-recommends"]
    trouble = ""
    lists = root / "lists-are-there"
    for attempt in range(2):  # the lists of another day may name a version that is gone
        if attempt or not lists.exists():
            trouble = _run([*apt, "update"], archives)
            lists.touch()
        else:
            trouble = ""
        trouble = trouble or _run([*apt, *words, package], archives)
        if not trouble:
            break
        lists.unlink(missing_ok=True)
    if trouble:
        pytest.skip(f"apt cannot serve {package} of {suite}: {trouble}")
    part = place.with_name(f"{place.name}.partial")
    shutil.rmtree(part, ignore_errors=True)
    for archive in sorted(archives.glob("*.deb" if whole else f"{package}_*.deb")):
        subprocess.run(["dpkg", "-x", archive, part], check=True, timeout=300)
        archive.unlink()
    part.rename(place)


def _run(command: list[str], folder: Path) -> str:
    """Return the end of what apt says was wrong, "" when nothing was."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=500, check=False)
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-300:] or "no word of why"


def _mirrors() -> Iterator[str]:
    """Yield the mirrors of Debian's main archive that this machine's apt uses."""
    for file in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        text = file.read_text() if file.is_file() else ""
        for found in re.findall(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+\S+\s+main", text, re.MULTILINE):
            if "security" not in found:
                yield found
        for block in text.split("\n\n"):
            uris, suites = (re.search(rf"^{key}:\s*(\S+)", block, re.MULTILINE) for key in ("URIs", "Suites"))
            if uris and suites and "security" not in uris[1] and "security" not in suites[1]:
                yield uris[1]
