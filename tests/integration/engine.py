"""A Docker Engine of the tests' own, and a base image for it that is made of the OS packages of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_START_S = 120


@contextmanager
def engine() -> Iterator[dict[str, str]]:
    """Run a Docker Engine without networks while the block runs, and give the environment that reaches it."""
    daemon, client = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/usr/local/bin"), shutil.which("docker")
    if not daemon or not client:
        pytest.skip("there is no Docker Engine: install the Debian package docker.io")
    if os.geteuid() != 0:
        pytest.skip("only root can start a Docker Engine")
    folder = Path(tempfile.mkdtemp(prefix="lode-docker-", dir="/tmp"))  # a socket's path is short
    environment = {**os.environ, "DOCKER_HOST": f"unix://{folder}/socket", "DOCKER_BUILDKIT": "0", "HOME": str(folder)}
    try:
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(
                [daemon, "--iptables=false", "--ip6tables=false", "--bridge=none", f"--data-root={folder}/data",
                 f"--exec-root={folder}/exec", f"--pidfile={folder}/pid", f"--host=unix://{folder}/socket"],
                stdout=log, stderr=log, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )  # fmt: skip
        try:
            deadline = time.monotonic() + _START_S
            while subprocess.run([client, "version"], env=environment, capture_output=True, check=False).returncode:
                if running.poll() is not None or time.monotonic() > deadline:
                    said = (folder / "log").read_text().strip().splitlines()
                    pytest.skip(f"the Docker Engine does not start here: {said[-1] if said else 'it says nothing'}")
                time.sleep(0.2)
            yield environment
        finally:
            running.terminate()
            running.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def import_host(environment: dict[str, str], name: str, packages: list[str]) -> None:
    """Make the image `name` of the files of these OS packages and of all that they need, as this machine has them."""
    wanted = _closure(packages)
    listed = subprocess.run(["dpkg-query", "-L", *wanted], capture_output=True, text=True, check=True).stdout
    files = {line for line in listed.splitlines() if line.startswith("/") and os.path.lexists(line)}
    files = {file for file in files if not re.match(r"/usr/share/(doc|man|locale|info)/.", file)}
    files |= {f"/{top}" for top in ("bin", "lib", "lib64", "sbin") if os.path.islink(f"/{top}")}
    files |= {"/var/lib/dpkg/status", "/etc/alternatives", *map(str, Path("/etc/alternatives").iterdir())}
    links = {f"/usr/bin/{path.name}" for path in Path("/etc/alternatives").iterdir()}
    files |= {link for link in links if os.path.islink(link)}
    packed = subprocess.Popen(
        ["tar", "-c", "-C", "/", "--no-recursion", "--verbatim-files-from", "-T", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with packed:
        assert packed.stdin is not None
        # a link's own folder may be a link too: /lib/x belongs to a package that knows nothing of usr/lib
        real = {os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file)) for file in files}
        importing = subprocess.Popen(
            ["docker", "import", "-", name], stdin=packed.stdout, env=environment, stdout=subprocess.DEVNULL
        )
        packed.stdin.write("".join(f"{file.lstrip('/')}\n" for file in sorted(real) if file != "/").encode())
        packed.stdin.close()
        assert importing.wait(300) == 0


def _closure(packages: list[str]) -> list[str]:
    stated = subprocess.run(
        ["dpkg-query", "-W", "-f=${db:Status-Status}\t${Package}\t${Provides}\t${Pre-Depends}, ${Depends}\n"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    needs: dict[str, str] = {}
    provided: dict[str, str] = {}
    for status, name, provides, depends in (line.split("\t") for line in stated.splitlines()):
        if status == "installed":
            needs[name] = depends
            provided |= {re.split(r"[ (]", one.strip())[0]: name for one in provides.split(",") if one.strip()}
    found: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = waiting.pop()
        name = name if name in needs else provided.get(name, "")
        if name and name not in found:
            found.add(name)
            for one in needs[name].split(","):
                choices = [re.split(r"[ (:]", choice.strip())[0] for choice in one.split("|")]
                there = [choice for choice in choices if choice in needs or choice in provided]
                waiting += there[:1]
    return sorted(found)
