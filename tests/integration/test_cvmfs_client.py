"""A release as a site uses it: mounted by the real client, set up by what `lode cvmfs client-config` writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.cernvm import CLIENT, needs_client, serving
from tests.integration.test_release import experiment, released, run

from lode.workflow import host

__all__ = ["experiment"]

NAME = "tiny.example.org"
pytestmark = [
    pytest.mark.integration,
    needs_client,
    pytest.mark.skipif(host.this_os()[:2] != ("debian", "12"), reason="the stack is for Debian 12"),
    pytest.mark.skipif(
        not (Path("/cvmfs").is_dir() and Path("/etc/cvmfs").is_dir()), reason="there is no /cvmfs or no /etc/cvmfs"
    ),
]

# In mounts of its own: /etc/cvmfs and /cvmfs of the machine stay as they are.
SITE = """\
set -e
mount --make-rprivate /
mount --bind "$HOME_OF_SITE/etc" /etc/cvmfs
mount --bind "$HOME_OF_SITE/cvmfs" /cvmfs
"$CVMFS2" {name} /cvmfs/{name} > /dev/null
trap 'umount -l /cvmfs/{name}' EXIT
{script}
"""


@pytest.fixture
def site(experiment: Path, tmp_path: Path) -> Path:
    """Return the folder of a site with what it needs beside the repository's own configuration."""
    home = tmp_path / "site"
    for folder in ("etc", f"cvmfs/{NAME}", "cache"):
        (home / folder).mkdir(parents=True)
    cache = home / "cache"
    (home / "etc/default.local").write_text(
        f"CVMFS_CACHE_BASE={cache}\nCVMFS_RELOAD_SOCKETS={cache}\nCVMFS_USER=root\nCVMFS_CLAIM_OWNERSHIP=no\n"
    )
    return home


def shell(site: Path, script: str) -> str:
    """Return what `script` prints where the repository is mounted."""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", SITE.format(name=NAME, script=script)],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME_OF_SITE": str(site), **_client()},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _client() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("CVMFS_LIBRARY_PATH",) if name in os.environ}
    return {"CVMFS2": str(CLIENT), **kept}


def test_release_works_from_the_mount_as_from_its_own_folder(experiment: Path, site: Path) -> None:
    made = released(experiment)
    (key,) = json.loads(run(experiment, "keys", "show", "--json").stdout)["keys"]
    with serving(Path(made["cvmfs"]["place"]), NAME) as url:
        server = url.removesuffix(f"/cvmfs/{NAME}")
        run(experiment, "cvmfs", "client-config", NAME, "-o", str(site / "etc"), "--server", server)
        said = shell(site, f". /cvmfs/{NAME}/tiny/1/setup.sh; counter 4; scaler 4; echo; echo $LODE_PREFIX")
        assert said == f"77\n/cvmfs/{NAME}/tiny/1/debian12-x86_64\n"
        said = shell(site, f". /cvmfs/{NAME}/tiny/current/host/setup.sh; scaler 4")
        assert said == "7"
        place = f"/cvmfs/{NAME}/tiny/1/debian12-x86_64"
        signature = Path(made["folder"]) / "debian12-x86_64/prefix.dsse"
        options = f"--signature {signature} --key {key['public_file']}"
        said = shell(site, f"cd {experiment}; {sys.executable} -m lode verify {place} {options}")
        assert said.startswith("verified: ")
