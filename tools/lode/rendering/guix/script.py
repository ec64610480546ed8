"""What a package's build runs in sh: laying out its sources, and its recipe's steps."""

from __future__ import annotations

from lode.definitions.recipe import System
from lode.definitions.target import Target
from lode.locking.graph import Node
from lode.rendering import steps
from lode.rendering.quoting import shell

_ZIPS = (".zip", ".whl", ".jar")


def layout(node: Node, target: Target) -> str:
    """Return the commands that lay out `$LODE_SOURCE_<number>` in `source` and apply `$LODE_PATCH_<number>` there."""
    lines = ["mkdir -p source"]
    for number, source in enumerate(one for one in node.sources if target.name in one.targets):
        place = shell(f"source/{source.directory}" if source.directory else "source")
        file = f'"$LODE_SOURCE_{number}"'
        lines.append(f"mkdir -p {place}")
        if not source.unpack:
            lines.append(f"cp {file} {place}/{shell(source.filename)}")
            continue
        inner = f"/{shell(source.subdirectory)}" if source.subdirectory else ""
        zipped = source.filename.lower().endswith(_ZIPS)
        lines += [
            "mkdir .unpacked",
            f"unzip -q {file} -d .unpacked" if zipped else f"tar -xf {file} -C .unpacked",
            "set -- .unpacked/*",
            'if [ $# -ne 1 ] || [ ! -d "$1" ]; then set -- .unpacked; fi',
            f'cp -a "$1"{inner}/. {place}/',
            "rm -rf .unpacked",
        ]
    for number, patch in enumerate(node.patches):
        if target.name in patch.targets:
            lines.append(f'patch -d source -p{patch.strip} -i "$LODE_PATCH_{number}"')
    return "".join(f"{line}\n" for line in lines)


def script(node: Node, target: Target) -> str:
    """Return the commands of the whole build, run in the source's root."""
    if node.build.system is System.BUNDLE:
        return 'mkdir -p "$PREFIX"\n'
    compilers = "CC=gcc CXX=g++ FC=gfortran" if "fortran" in node.languages else "CC=gcc CXX=g++"
    lines = [
        f"export PYTHON=python3 {compilers}",
        f'export CFLAGS="-O2 -march={target.microarchitecture}"',
        'export CXXFLAGS="$CFLAGS" FFLAGS="$CFLAGS" CPPFLAGS="${CPPFLAGS:-}" LDFLAGS="-Wl,-rpath,$PREFIX/lib"',
        'export BUILD_DIR="$SRC_DIR/../lode-build"',
        'mkdir -p "$BUILD_DIR"',
        *steps.body(node, target.name, apart=True),
    ]
    return "".join(f"{line}\n" for line in lines)
