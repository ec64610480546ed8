"""A real Apptainer for the tests: Debian's newest, unpacked and patched to find its libraries; nothing is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.newer import unpacked

SUITE = "sid"  # the only one of Debian's suites that has Apptainer
LIBRARIES = "usr/lib/x86_64-linux-gnu"


@pytest.fixture(scope="session")
def apptainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the folder of the program `apptainer`, to be put on PATH, with caches of its own.

    Its configuration is Debian's, but for root's capabilities: a container that may lack some of them refuses
    "full". The loader and C library are those of the suite, since Debian 12's are older than what it was built with.
    """
    for program in ("patchelf", "mksquashfs", "unsquashfs"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    package = unpacked("apptainer", SUITE)
    folders = [unpacked(library, SUITE) / LIBRARIES for library in ("libc6", "libseccomp2")]
    root = tmp_path_factory.mktemp("apptainer")
    shutil.copytree(package, root, symlinks=True, dirs_exist_ok=True)
    for program in ("usr/bin/apptainer", f"{LIBRARIES}/apptainer/bin/starter"):
        _run("patchelf", "--set-interpreter", folders[0] / "ld-linux-x86-64.so.2",
             "--set-rpath", ":".join(map(str, folders)), root / program)  # fmt: skip
    # It looks for its settings beside its libraries once it was moved.
    for link, leads in (("usr/etc", "../etc"), ("usr/lib/etc", "../../etc"), ("usr/lib/var", "../../var")):
        (root / link).symlink_to(leads)
    (root / "var/lib/apptainer/mnt/session").mkdir(parents=True, exist_ok=True)
    settings = root / "etc/apptainer/apptainer.conf"
    settings.write_text(
        settings.read_text().replace("root default capabilities = full", "root default capabilities = no")
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CACHEDIR", "TMPDIR"):
            (root / name).mkdir()
            patch.setenv(f"APPTAINER_{name}", str(root / name))
        yield root / "usr/bin"


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, timeout=60, capture_output=True)
