"""What rendered packages of LCGCMake say, read as calls of CMake without running them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from lode import digest
from lode.errors import Place
from lode.rendering.agreement import Agreement, Item, Need, Unreadable
from lode.rendering.lcgcmake.language import Call, read
from lode.rendering.lcgcmake.words import here
from lode.tree import FileTree

_AGAIN = "render it again"
_KEYWORDS = frozenset(
    ("URL", "URL_HASH", "DOWNLOAD_COMMAND", "PATCH_COMMAND", "COMMAND", "CONFIGURE_COMMAND", "BUILD_COMMAND",
     "INSTALL_COMMAND", "DEPENDS")
)  # fmt: skip


def read_back(tree: FileTree) -> Agreement:
    """Return what the files `<target>/Lode/CMakeLists.txt` of `tree` add, at the versions that heptools files give."""
    items: set[Item] = set()
    needs: set[Need] = set()
    for path in sorted(tree.files):
        if path.parts[1:] == ("Lode", "CMakeLists.txt"):
            target = path.parts[0]
            versions = dict(_versions(tree, target))
            added = [call for call in _calls(tree, path) if call.name == "LCGPackage_Add"]
            for call in added:
                with _Reading(path):
                    _package(tree, path, call, versions, items, needs)
            absent = versions.keys() - {call.arguments[0] for call in added}
            if absent:
                raise Unreadable(f"{', '.join(sorted(absent))} has a version but is not added", place=_place(path))
    if not items:
        raise Unreadable("there is no <target>/Lode/CMakeLists.txt that adds anything", hint=_AGAIN)
    return Agreement(items=frozenset(items), needs=frozenset(needs))


class _Reading:
    """Turns what goes wrong while a file is understood into a fault of that file."""

    def __init__(self, path: PurePosixPath) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        """Name the file in what went wrong."""
        if isinstance(error, ValueError | KeyError | IndexError):
            said = f"{error.args[0]} is not there" if isinstance(error, KeyError) else str(error)
            message = f"not a package as it is rendered: {said}"
            raise Unreadable(message, place=_place(self._path), hint=_AGAIN) from error


def _package(
    tree: FileTree, path: PurePosixPath, call: Call, versions: dict[str, str], items: set[Item], needs: set[Need]
) -> None:
    name, *rest = call.arguments
    target, package = path.parts[0], here(name)
    said: list[tuple[str, list[str]]] = []
    for word in rest:
        if word in _KEYWORDS:
            said.append((word, []))
        else:
            said[-1][1].append(word)
    sources: list[str] = []
    patches: list[str] = []
    for keyword, words in said:
        match keyword:
            case "URL_HASH":
                sources.append(words[0].removeprefix("SHA256="))
            case "DOWNLOAD_COMMAND":
                sources += _laid_out(tree, path.parent / name / "sources.cmake")
            case "PATCH_COMMAND" | "COMMAND":
                file = words[-1].replace("${CMAKE_CURRENT_SOURCE_DIR}/", "")
                content = tree.files.get(path.parent / file)
                patches.append(str(digest.of_bytes(content)) if content is not None else "(missing)")
            case "DEPENDS":
                needs |= {Need(target=target, package=package, needs=here(word)) for word in words}
    items.add(
        Item(
            target=target,
            package=package,
            version=versions[name],
            sources=tuple(sorted(sources)),
            patches=tuple(patches),
        )
    )


def _versions(tree: FileTree, target: str) -> Iterator[tuple[str, str]]:
    for path in sorted(tree.files):
        if len(path.parts) == 2 and path.parts[0] == target and path.name.startswith("heptools-"):
            for call in _calls(tree, path):
                if call.name in ("LCG_external_package", "LCG_AA_project"):
                    with _Reading(path):
                        yield call.arguments[0], call.arguments[1]


def _laid_out(tree: FileTree, path: PurePosixPath) -> Iterator[str]:
    if path not in tree.files:
        raise KeyError(str(path))
    for call in _calls(tree, path):
        if call.name == "lode_source":
            with _Reading(path):
                sha256, file = call.arguments
                if sha256 not in file:
                    raise ValueError(f"{file} is not the file of {sha256}")
            yield sha256


def _calls(tree: FileTree, path: PurePosixPath) -> list[Call]:
    with _Reading(path):
        return list(read(tree.files[path].decode()))


def _place(path: PurePosixPath) -> Place:
    return Place(file=str(path))
