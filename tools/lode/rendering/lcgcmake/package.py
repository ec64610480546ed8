"""One node on one target as a package of LCGCMake: its LCGPackage_Add, and how its sources are laid out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lode.definitions.recipe import System
from lode.definitions.target import Target
from lode.locking.graph import LockedSource, Node, dependencies
from lode.rendering import mirror, patches
from lode.rendering.environments import Installed, present
from lode.rendering.lcgcmake.language import Raw, dump
from lode.rendering.lcgcmake.words import called
from lode.rendering.weakening import Weakening

URL = "_lode_url"  # what follows a package's name in the variable that holds its address
_HERE = "${CMAKE_CURRENT_SOURCE_DIR}"
# LCGPackage_Add looks at its arguments again (a macro, which replaces <name> too): nothing else is handed to it
_PLAIN_URL = re.compile(r"[A-Za-z0-9_+=./:@%~,-]+")
# what ExternalProject of CMake 3.20 takes the kind of an archive from; it refuses a URL without
_TOLD_KIND = re.compile(r".*\.(?:7z|tar|tar\.bz2|tar\.gz|tar\.xz|tbz2|tgz|txz|zip)", re.DOTALL)


def package(node: Node, target: Target, installed: Installed, order: Sequence[Node]) -> str:
    """Return the calls that define the package; `order` is the build order of all."""
    name = called(node.package)
    sources = [source for source in node.sources if target.name in source.targets]
    folder = f"{_HERE}/{name}"
    needs = ":".join(f"${{{called(other.package)}_home}}" for other in present(node, installed, order))
    text = ""
    arguments: list[str] = [Raw(name)]
    if is_plain(sources):
        (source,) = sources
        text = dump("lode_url", Raw(f"{name}{URL}"), mirror.relative_path(source), mirror.addresses(source)[0])
        arguments += [Raw("URL"), Raw(f'"${{{name}{URL}}}"'), Raw("URL_HASH"), f"SHA256={source.sha256}"]
    else:
        told = [Raw('"-DLODE_MIRROR=${LODE_MIRROR}"'), Raw("-DSOURCE_DIR=<SOURCE_DIR>")]
        script = Raw(f'"{folder}/sources.cmake"')
        arguments += [Raw("DOWNLOAD_COMMAND"), Raw('"${CMAKE_COMMAND}"'), *told, Raw("-P"), script]
    for number, patch in enumerate(patches.on(node, target.name), 1):
        word = "COMMAND" if number > 1 else "PATCH_COMMAND"
        arguments += [Raw(word), "patch", f"-p{patch.strip}", "-i", Raw(f'"{folder}/{number}.patch"')]
    arguments += [
        Raw("CONFIGURE_COMMAND"), Raw("<VOID>"),
        Raw("BUILD_COMMAND"), Raw('"${CMAKE_COMMAND}"'), "-E", "env", Raw("PREFIX=<INSTALL_DIR>"),
        Raw("SRC_DIR=<SOURCE_DIR>"), Raw(f'"LODE_NEEDS={needs}"'), "sh", Raw(f'"{folder}/build.sh"'),
        Raw("INSTALL_COMMAND"), Raw("<VOID>"),
    ]  # fmt: skip
    if wanted := dependencies(node, target.name):
        arguments += [Raw("DEPENDS"), *(Raw(called(other)) for other in wanted)]
    return text + dump("LCGPackage_Add", *arguments)


def is_plain(sources: list[LockedSource]) -> bool:
    """Return whether CMake itself can fetch and lay out the sources: one archive, whole, from a plain address.

    The names of address and file have to tell the archive's kind, as CMake asks.
    """
    if len(sources) != 1:
        return False
    (source,) = sources
    whole = source.unpack and not source.directory and not source.subdirectory
    addresses = mirror.addresses(source)[:1]
    told = all(_TOLD_KIND.fullmatch(name) for name in (*addresses, source.filename))
    return whole and told and any(_PLAIN_URL.fullmatch(address) for address in addresses)


def layout(node: Node, target: Target) -> str:
    """Return the calls that lay out the sources of a node that are not plain."""
    text = dump("include", Raw('"${CMAKE_CURRENT_LIST_DIR}/../sources.cmake"'))
    for source in node.sources:
        if target.name not in source.targets:
            continue
        text += dump("lode_source", str(source.sha256), mirror.relative_path(source))
        for address in mirror.addresses(source):
            text += dump("lode_address", address)
        if source.unpack:
            text += dump("lode_unpack", source.directory, source.subdirectory)
        else:
            text += dump("lode_copy", source.directory, source.filename)
    return text + dump("lode_end")


def lost(node: Node, target: Target) -> Iterator[Weakening]:
    """Yield what is said less exactly of the node."""
    said = [f"any version of {edge.package} that is there will do" for edge in node.externals
            if target.name in edge.targets]  # fmt: skip
    said += [mirror.alone(source) for source in node.sources if not mirror.addresses(source)]
    environment = node.environment
    named = dict.fromkeys(name for name, _ in (*environment.prepend, *environment.set, *environment.value))
    said += [f"{name} is not set for users" for name in named]
    if any(target.name in test.targets for test in node.tests):
        said.append("its tests are left out")
    if node.build.memory_mb:
        said.append(f"that a compiler takes {node.build.memory_mb} MB is not said")
    build = node.build
    texts = [build.prepare, build.script, build.finish, *(text for _, text in build.environment)]
    texts += [word for argument in build.args for word in argument.words]
    linked = any("link" in edge.kinds and target.name in edge.targets for edge in node.edges)
    if linked and any("PREFIX" in text for text in texts) and build.system is not System.BUNDLE:
        said.append("$PREFIX is the package's own folder in its build, without what it depends on")
    if node.provider == "upstream":
        said.append("it is built from its recipe here, although the stack leaves it to others")
    yield from (Weakening(package=node.package, what=what) for what in said)
