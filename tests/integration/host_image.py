"""A base image for the tests' own engine that is made of the OS packages of this machine."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.integration.engines import Engine


def import_host(engine: Engine, name: str, packages: list[str]) -> None:
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
            ["docker", "import", "-", name], stdin=packed.stdout, env=engine.environment, stdout=subprocess.DEVNULL
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
