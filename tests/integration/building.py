"""A small collection of real C packages for this machine, and `lode` run on it as a user does."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

STACK = """\
name: tiny
release: "1"
date: 2026-11-01
summary: Small packages
targets: [{target}]
requirements: [{packages}]
publish: {{cvmfs: tiny.example.org}}
"""
RECIPE = """\
name: {name}
summary: A small package
homepage: https://example.org
license: MIT
versions:
  - version: "1.0"
    source:
      - path: src
dependencies:
  build: [{build}]
  link: [{link}]
build:
  system: script
  script: |
{script}
"""
WAVE_C = "int wave(int x) { return 3 * x; }\nconst char *built(void) { return __FILE__ __DATE__ __TIME__; }\n"
WAVE = """
echo "[ 50%] compiling"
$CC $CFLAGS -fPIC -shared $LDFLAGS -Wl,-soname,libwave.so.1 -o libwave.so.1 wave.c
mkdir -p "$PREFIX/lib/pkgconfig" "$PREFIX/include"
cp libwave.so.1 "$PREFIX/lib/"
ln -s libwave.so.1 "$PREFIX/lib/libwave.so"
echo "int wave(int);" >"$PREFIX/include/wave.h"
echo "prefix=$PREFIX" >"$PREFIX/lib/pkgconfig/wave.pc"
"""
READER_C = '#include <wave.h>\n#include <stdio.h>\nint main(void) { printf("%d\\n", wave(14)); return 0; }\n'
READER = """
$CC $CPPFLAGS $CFLAGS $LDFLAGS -o reader reader.c -lwave
LD_LIBRARY_PATH= ./reader
mkdir -p "$PREFIX/bin"
cp reader "$PREFIX/bin/"
"""


def this_machine() -> dict[str, str]:
    """Return what a target must say of this machine."""
    lines = Path("/etc/os-release").read_text().splitlines()
    said = {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
    gcc = subprocess.run(["/usr/bin/gcc", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout
    return {"os": said["ID"], "os_version": said["VERSION_ID"], "arch": platform.machine(), "gcc": gcc.strip()}


HERE = this_machine()
TARGET = f"{HERE['os']}{HERE['os_version'].partition('.')[0]}-{HERE['arch']}"


class Collection:
    """A collection in a folder with a stack `tiny`, and its own home."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        (root / "collection.yaml").write_text('name: tiny\nversion: "1"\nsummary: Small packages\n')
        self.target()

    def target(self, *, glibc: str = "2.99", gcc: str | None = None) -> None:
        """Write the target that this machine is."""
        folder = self.root / "containers" / "targets"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{TARGET}.yaml").write_text(
            f"name: {TARGET}\nos: {HERE['os']}\nos_version: '{HERE['os_version']}'\narch: {HERE['arch']}\n"
            f"base: {{image: 'example.org/here@sha256:{'0' * 64}'}}\n"
            f"compiler: {{name: gcc, version: '{gcc or HERE['gcc']}', languages: [c]}}\n"
            f"glibc: '{glibc}'\nlibstdcxx: '3.4.99'\nmicroarchitecture: x86-64\n"
            "system_packages: []\nsystem_libraries: [ld-linux-x86-64.so.2, libc.so.6, libm.so.6]\n"
        )

    def recipe(
        self, name: str, script: str, *, link: str = "", build: str = "c", files: dict[str, str] | None = None
    ) -> None:
        """Write a recipe with its source."""
        folder = self.root / "recipes" / name
        (folder / "src").mkdir(parents=True, exist_ok=True)
        for file, content in {"README": name, **(files or {})}.items():
            (folder / "src" / file).write_text(content)
        lines = "\n".join(f"    {line}" for line in script.strip().splitlines())
        (folder / "recipe.yaml").write_text(RECIPE.format(name=name, link=link, build=build, script=lines))

    def lock(self, *packages: str) -> None:
        """Write the stack `tiny` of `packages`, and lock it."""
        folder = self.root / "stacks" / "tiny" / "1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "stack.yaml").write_text(STACK.format(target=TARGET, packages=", ".join(packages)))
        ended = self.lode("lock", "tiny")
        assert ended.returncode == 0, ended.stderr

    def waves(self) -> None:
        """Write and lock a library and a program that uses it."""
        self.recipe("wave", WAVE, files={"wave.c": WAVE_C})
        self.recipe("reader", READER, link="wave", files={"reader.c": READER_C})
        self.lock("reader")

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the environment of a command."""
        return {**os.environ, "LODE_HOME": str(self.home), **variables}

    def command(self, *arguments: str) -> list[str]:
        """Return the words of a command on this collection."""
        return [sys.executable, "-m", "lode", *arguments, "--collection", str(self.root)]

    def lode(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Return how `lode` with these arguments ended."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(**variables),
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,  # a busy machine makes a system in minutes
        )

    def build(self, *arguments: str, **variables: str) -> dict[str, Any]:
        """Return the JSON report of a build, which must succeed, its nodes by package."""
        ended = self.lode("build", "tiny", "--json", *arguments, **variables)
        assert ended.returncode == 0, ended.stderr
        report: dict[str, Any] = json.loads(ended.stdout)
        return {**report, "nodes": {node["package"]: node for node in report["nodes"]}}


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """Return an empty collection."""
    return Collection(tmp_path)
