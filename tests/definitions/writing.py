"""Short definition files for tests, with parts replaced."""

from __future__ import annotations

SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
COMMIT = "d4f7c711a6a42f1c4d551c8fd10fce9a11340a81"

RECIPE = f"""name: nest
summary: Light and charge yields in liquid xenon
homepage: https://example.org/nest
license: Apache-2.0
versions:
  - version: "2.4.0"
    source:
      - url: https://example.org/nest-2.4.0.tar.gz
        sha256: {SHA256}
build: {{system: cmake}}
"""

STACK = """name: dance
release: "2026.11"
date: 2026-11-01
summary: Everything in small
targets: [debian12-x86_64]
requirements:
  - nest >=2.4
  - zlib
"""

TARGET = """name: debian12-x86_64
os: debian
os_version: "12"
arch: x86_64
base: {suite: bookworm}
compiler: {name: gcc, version: "12.2.0"}
glibc: "2.36"
libstdcxx: "3.4.30"
"""


def changed(text: str, *changes: str) -> bytes:
    """Return `text` with lines replaced: a change `build: …` (which may have further lines) takes the place of the
    top-level key `build`, or is put at the end."""
    parts: dict[str, str] = {}
    for part in (text, *changes):
        key = ""
        for line in part.rstrip("\n").split("\n"):
            if line[:1].strip() and not line.startswith(("-", "#")):
                key = line.partition(":")[0]
                parts[key] = ""
            parts[key] += line + "\n"
    return "".join(parts.values()).encode()


def recipe(*changes: str) -> bytes:
    """Return a recipe for nest with `changes`."""
    return changed(RECIPE, *changes)


def named(name: str, *changes: str) -> bytes:
    """Return a recipe for another package with `changes`."""
    return recipe(f"name: {name}", *changes)


def stack(*changes: str) -> bytes:
    """Return a stack with `changes`."""
    return changed(STACK, *changes)


def target(*changes: str) -> bytes:
    """Return a target with `changes`."""
    return changed(TARGET, *changes)
