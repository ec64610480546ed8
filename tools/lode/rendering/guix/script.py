"""What a package's build runs in sh: laying out its sources, and its recipe's steps."""

from __future__ import annotations

from lode.definitions.recipe import System
from lode.definitions.target import Target
from lode.locking.graph import Node
from lode.rendering.quoting import recipe_word, recipe_words, shell

_ZIPS = (".zip", ".whl", ".jar")
_PIP = "--no-deps --no-index --no-cache-dir --disable-pip-version-check"
_CMAKE = (
    "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_INSTALL_PREFIX=$PREFIX", "-DCMAKE_INSTALL_LIBDIR=lib",
    "-DCMAKE_INSTALL_RPATH=$PREFIX/lib", "-DFETCHCONTENT_FULLY_DISCONNECTED=ON",
)  # fmt: skip


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
    build = node.build
    if build.system is System.BUNDLE:
        return 'mkdir -p "$PREFIX"\n'
    enter = f'cd "$SRC_DIR"/{recipe_word(build.subdirectory)}' if build.subdirectory else 'cd "$SRC_DIR"'
    lines = [
        "export PYTHON=python3 CC=gcc CXX=g++",
        f'export CFLAGS="-O2 -march={target.microarchitecture}"',
        'export CXXFLAGS="$CFLAGS" CPPFLAGS="${CPPFLAGS:-}" LDFLAGS="-Wl,-rpath,$PREFIX/lib"',
        *(f"export {name}={recipe_word(value)}" for name, value in build.environment),
        enter,
        build.prepare.rstrip(),
        *_steps(node, target.name),
        *((enter, build.finish.rstrip()) if build.finish.strip() else ()),
    ]
    return "".join(f"{line}\n" for line in lines if line)


def _steps(node: Node, target: str) -> list[str]:
    build = node.build
    args = [word for argument in build.args if target in argument.targets for word in argument.words]
    made, installed, words = recipe_words(build.targets), recipe_words(build.install_targets), recipe_words(args)
    folder = "." if build.in_source else ".lode-build"
    match build.system:
        case System.CMAKE:
            return [
                f"cmake -S . -B {folder} -G 'Unix Makefiles' {recipe_words(_CMAKE)} {words}",
                f'make -C {folder} -j"$JOBS" {made}',
                f"make -C {folder} {installed}",
            ]
        case System.AUTOTOOLS:
            configure = f'"$configure" --prefix="$PREFIX" --libdir="$PREFIX/lib" {words}'
            begin = ["configure=$PWD/configure", f"mkdir -p {folder}", f"cd {folder}", configure]
            return [*begin, f'make -j"$JOBS" {made}', f"make {installed}"]
        case System.MESON:
            options = '--prefix="$PREFIX" --libdir=lib --buildtype=release --wrap-mode=nofallback'
            build_all = f'ninja -C .lode-build -j "$JOBS" {made}'
            return [f"meson setup .lode-build . {options} {words}", build_all, f"ninja -C .lode-build {installed}"]
        case System.MAKE:
            return [f'make -j"$JOBS" {words} {made}', f"make {words} {installed}"]
        case System.PYTHON:
            return [
                f'"$PYTHON" -m pip wheel {_PIP} --no-build-isolation --wheel-dir .lode-dist {words} .',
                f'"$PYTHON" -m pip install {_PIP} --prefix "$PREFIX" .lode-dist/*.whl',
            ]
        case System.WHEEL:
            wheels = recipe_words(f"$SRC_DIR/{source.filename}" for source in node.sources if target in source.targets)
            return [f'"$PYTHON" -m pip install {_PIP} --prefix "$PREFIX" {wheels} {words}']
        case _:
            return [build.script.rstrip()]
