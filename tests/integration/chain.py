"""A chain of two packages that every package manager can build in a second: a patched header, and a program with it."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

from tests.locking.world import World, target

from lode.definitions.recipe import Argument, Environment, Patch, System, Test
from lode.definitions.target import Target
from lode.digest import of_bytes
from lode.locking.graph import Lock
from lode.rendering import File
from lode.sourcing.mirror import Mirror

SAYS = "42 a %(b)s 100%"  # what the program prints, and what $DEEP_UNIT must be beside it
UNIT = 'k%(e)sV "a" `id` # x'
_CHANGES = b"--- a/deep.h\n+++ b/deep.h\n@@ -1 +1 @@\n-#define DEEP 41\n+#define DEEP 42\n"


def archive(files: dict[str, str]) -> bytes:
    """Return an archive with these files below one folder."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as made:
        for name, text in files.items():
            member = tarfile.TarInfo(f"top-1.0/{name}")
            member.size, member.mode = len(text.encode()), 0o755
            made.addfile(member, io.BytesIO(text.encode()))
    return held.getvalue()


def chain(mirror: Path, *, on: Target | None = None) -> tuple[World, Lock, File]:
    """Return the world, the lock of `app`, and what reads the patch, after putting the sources into `mirror`."""
    library = archive({"inner/deep.h": "#define DEEP 41\n", "inner/more.txt": "x\n"})
    program = archive(
        {
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(app C)\nadd_executable(app app.c)\n"
            "find_path(DEEP deep.h REQUIRED)\ntarget_include_directories(app PRIVATE ${DEEP})\n"
            'target_compile_definitions(app PRIVATE WORD="${WORD}")\ninstall(TARGETS app DESTINATION bin)\n',
            "app.c": '#include <deep.h>\n#include <stdio.h>\nint main(void) { printf("%d %s\\n", DEEP, WORD); }\n',
        }
    )
    world = World(on or target())
    world.add("deep", "1.0", languages="c", system=System.SCRIPT)
    world.add("app", "1.0", languages="c", needs=["deep"], args=[Argument(words=("-DWORD=a %(b)s 100%",))])
    for name, content in (("deep", library), ("app", program)):
        recipe = world.recipes[name]
        source = replace(recipe.versions[0].sources[0], sha256=of_bytes(content))
        world.recipes[name] = replace(recipe, versions=(replace(recipe.versions[0], sources=(source,)),))
    deep, app = world.recipes["deep"], world.recipes["app"]
    first = deep.versions[0]
    world.files["deep", "patches/a.patch"] = _CHANGES
    inner = replace(first.sources[0], subdirectory="inner")
    patched = replace(first, sources=(inner,), patches=(Patch(file="patches/a.patch", reason="x"),))
    world.recipes["deep"] = replace(
        deep,
        versions=(patched,),
        build=replace(deep.build, script='mkdir -p "$PREFIX/include"\ncp deep.h "$PREFIX/include"\n'),
        environment=Environment(value=(("DEEP_UNIT", UNIT),)),
    )
    runs = f'test "$("$PREFIX/bin/app")" = \'{SAYS}\'\ntest "$DEEP_UNIT" = \'{UNIT}\'\n'
    world.recipes["app"] = replace(app, tests=(Test(name="runs", run=runs),))
    lock = world.lock("app")
    for node in lock.nodes:
        path = Mirror(mirror).path(node.sources[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(library if node.package == "deep" else program)
    return world, lock, lambda package, name: world.files[package, name]
