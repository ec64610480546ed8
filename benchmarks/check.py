"""CPU seconds of `lode check` on a large collection, beside a plain load of the same files with PyYAML's C loader.

    python benchmarks/check.py [--recipes 2000] [--json]

The limit is 2 s for 2,000 recipes, the whole command with its start. The ratio to the plain load, which looks at
nothing, is what to compare between machines.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
LOAD = """
import sys, yaml
for file in sys.argv[1:]:
    with open(file, "rb") as handle:
        yaml.load(handle, Loader=yaml.CSafeLoader)
"""


def recipe(number: int) -> str:
    """Return a recipe; those of four numbers in a row are as long, on average, as the recipes that Lode ships."""
    name = f"package-{number:04d}"
    first, second, third = (f"package-{max(number - step, 0):04d}" for step in (1, 7, 40))
    parts = [
        f"""# A made-up recipe of the usual length.
name: {name}
summary: Made-up package number {number}, for reading tracks of particles in liquid argon
homepage: https://example.org/{name}
license: BSD-3-Clause
cite: 10.5281/zenodo.{1000000 + number}
tags: [simulation, noble-liquid]
versions:""",
        version(name, f"2.{number}.0"),
    ]
    if number % 4 == 1:
        parts.append(
            """    patches:
      - {file: patches/gcc.patch, reason: gcc 13 needs another header, until: ">=3", upstream: "https://example.org/7"}"""
        )
    if number % 2:
        parts.append(version(name, f"1.{number}.0"))
        parts.append("options:\n  threads: {default: true, summary: run on several cores}")
    if number % 4 == 1:
        parts.append('  cxxstd: {values: ["17", "20"], default: "17", summary: standard of C++}')
    parts.append("dependencies:\n  build: [cxx, cmake >=3.16]")
    if number > 40:
        when = f'\n    - {{package: "{second} >=1.0,<3", when: +threads}}' if number % 2 else ""
        parts.append(f"  link:\n    - {first} >=1.0{when}\n  run: [{third}]")
    parts.append("build:\n  system: cmake\n  args:\n    - -DBUILD_SHARED_LIBS=ON")
    if number % 2:
        parts.append("    - {option: threads, define: USE_THREADS}")
    if number % 4 == 1:
        parts.append("    - {option: cxxstd, define: CMAKE_CXX_STANDARD}")
        parts.append(f"environment:\n  prepend: {{PACKAGE_DATA: share/{name}}}")
    parts.append(
        f"""tests:
  - {{name: links, compile: tests/links.cpp, libraries: [package{number}]}}
  - {{name: version, run: "{name} --version && test -e $PREFIX/share"}}
"""
    )
    return "\n".join(parts)


def version(name: str, text: str) -> str:
    """Return the lines of one version and its source."""
    return f"""  - version: "{text}"
    source:
      - url: https://example.org/{name}-{text}.tar.gz
        sha256: {SHA256}
        mirrors: [{{pypi: {name}=={text}}}]"""


def make(folder: Path, count: int) -> list[Path]:
    """Write a collection of `count` recipes below `folder` and return their files."""
    target = Path(__file__).parents[1] / "containers" / "targets" / "debian12-x86_64.yaml"
    (folder / "containers" / "targets").mkdir(parents=True)
    (folder / "containers" / "targets" / target.name).write_bytes(target.read_bytes())
    (folder / "collection.yaml").write_text('name: made-up\nversion: "1"\n')
    files = []
    for number in range(count):
        home = folder / "recipes" / f"package-{number:04d}"
        (home / "patches").mkdir(parents=True)
        (home / "tests").mkdir()
        (home / "patches" / "gcc.patch").touch()
        (home / "tests" / "links.cpp").touch()
        files.append(home / "recipe.yaml")
        files[-1].write_text(recipe(number))
    return files


def cpu(argv: list[str], cwd: Path) -> tuple[float, str]:
    """Return the CPU seconds (user and system) that `argv` takes, and what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(argv, cwd=cwd, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main() -> None:
    """Measure each three times and print the best."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    lode = Path(sys.executable).with_name("lode")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = make(folder, arguments.recipes)
        size = sum(file.stat().st_size for file in files)
        checks = [cpu([str(lode), "check"], folder) for _ in range(3)]
        loads = [cpu([sys.executable, "-c", LOAD, *map(str, files)], folder) for _ in range(3)]
    check_s, load_s = min(checks)[0], min(loads)[0]
    result = {
        "recipes": len(files),
        "bytes_per_recipe": round(size / len(files)),
        "check_cpu_s": round(check_s, 3),
        "files_per_s": round(len(files) / check_s),
        "plain_load_cpu_s": round(load_s, 3),
        "ratio": round(check_s / load_s, 2),
        "load_average": os.getloadavg()[0],
    }
    if arguments.json:
        print(json.dumps(result))
        return
    print(checks[0][1].splitlines()[-1])
    for name, value in result.items():
        print(f"{name:>18}  {value}")


if __name__ == "__main__":
    main()
