"""What a rendered repository and its environments say, read from package.py and spack.yaml themselves.

package.py is read as Python, without running it: directives of its class are calls with literal arguments. Specs are
those that the renderer writes, one part after the other with spaces between.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from lode import digest
from lode.errors import Place
from lode.rendering import names
from lode.rendering.agreement import Agreement, Item, Need, Unreadable
from lode.rendering.spack.versions import admits
from lode.tree import FileTree

NAMES = PurePosixPath("repository/names.yaml")  # Spack's names to Lode's, where they differ
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, and ten times as fast where it was compiled
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_EXACT = re.compile(r"(?P<name>[a-z0-9-]+)@=(?P<version>\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pin:
    """What an environment requires of one package; a tool of the OS has no namespace."""

    version: str
    variants: frozenset[str] = frozenset()  # parts of specs: `+x`, `y=z`
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Directive:
    name: str
    positional: tuple[Any, ...]
    named: Mapping[str, Any]


def read_back(tree: FileTree) -> Agreement:
    """Return what the environments in `tree` pin, with the sources, patches and needs of their packages."""
    items: set[Item] = set()
    needs: set[Need] = set()
    called = _names(tree.files.get(NAMES, b"{}"))
    packages: dict[PurePosixPath, tuple[_Directive, ...]] = {}
    for path, content in sorted(tree.files.items()):
        if len(path.parts) != 2 or path.name != "spack.yaml":
            continue
        target = path.parts[0]
        pins, everywhere = _environment(path, content)
        for name, pin in sorted(pins.items()):
            if not pin.namespace:
                continue
            package = called.get(name, name)
            if pin.namespace == "builtin":
                items.add(Item(target=target, package=package, version=pin.version, delegated=True))
                continue
            folder = _folder(pin.namespace, name)
            if folder not in packages:
                packages[folder] = tuple(_directives(tree, folder / "package.py"))
            holding = [one for one in packages[folder] if _holds(one.named.get("when", ""), pin, pins, everywhere)]
            items.add(_item(tree, target, package, pin, folder, holding))
            needs |= {
                Need(target=target, package=package, needs=called.get(other, other)) for other in _needs(holding, pins)
            }
    if not items:
        raise Unreadable("there is no <target>/spack.yaml that pins anything", hint="render it again")
    return Agreement(items=frozenset(items), needs=frozenset(needs))


def _names(content: bytes) -> Mapping[str, str]:
    """Return Lode's names of the packages that Spack calls otherwise."""
    try:
        found = yaml.load(content, Loader=_LOADER)  # noqa: S506
    except yaml.YAMLError:
        found = None
    if not isinstance(found, dict):
        raise Unreadable("not a list of names as it is rendered", place=Place(file=str(NAMES)))
    return found


def _environment(path: PurePosixPath, content: bytes) -> tuple[dict[str, _Pin], frozenset[str]]:
    """Return what each package is required to be, and the parts of specs that hold for all."""
    try:
        document = yaml.load(content, Loader=_LOADER)["spack"]  # noqa: S506
        settings, own = document["packages"], next(iter(document["repos"]))
        everywhere = frozenset(settings["all"]["require"])
        roots = [spec.partition("@")[0] for spec in document["specs"]]
        builtin = {root.removeprefix("builtin.") for root in roots if root.startswith("builtin.")}
        pins = {name: _pin(one, "builtin" if name in builtin else own) for name, one in settings.items()}
        return {name: pin for name, pin in pins.items() if pin is not None}, everywhere
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError, StopIteration) as error:
        raise Unreadable("not an environment as it is rendered", place=Place(file=str(path))) from error


def _pin(settings: Mapping[str, Any], namespace: str) -> _Pin | None:
    if "externals" in settings:
        return _Pin(version=settings["externals"][0]["spec"].split()[0].partition("@")[2])
    if "require" not in settings:
        return None
    first, *others = settings["require"]
    match = _EXACT.fullmatch(first)
    if match is None:
        return None
    return _Pin(version=match["version"], variants=frozenset(others), namespace=namespace)


def _folder(namespace: str, name: str) -> PurePosixPath:
    return PurePosixPath("repository/spack_repo", *namespace.split("."), "packages", names.module_name(name))


def _directives(tree: FileTree, path: PurePosixPath) -> Iterator[_Directive]:
    content = tree.files.get(path)
    if content is None:
        raise Unreadable("the package is missing", place=Place(file=str(path)), hint="render it again")
    try:
        module = ast.parse(content)
        (body,) = [statement.body for statement in module.body if isinstance(statement, ast.ClassDef)]
        for statement in body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                called = statement.value
                if not isinstance(called.func, ast.Name):
                    raise ValueError(ast.dump(called.func))
                yield _Directive(
                    name=called.func.id,
                    positional=tuple(ast.literal_eval(one) for one in called.args),
                    named={one.arg: ast.literal_eval(one.value) for one in called.keywords if one.arg},
                )
    except (SyntaxError, ValueError) as error:
        place = Place(file=str(path))
        raise Unreadable(f"not a package as it is rendered: {error}", place=place, hint="render it again") from error


def _item(
    tree: FileTree, target: str, package: str, pin: _Pin, folder: PurePosixPath, holding: list[_Directive]
) -> Item:
    sources: list[str] = []
    patches: list[str] = []
    there = False
    for one in holding:
        if one.name == "version" and one.positional == (pin.version,):
            there = True
            sources += [one.named["sha256"]] if "sha256" in one.named else []
        elif one.name == "resource":
            sources.append(one.named["sha256"])
        elif one.name == "patch":
            content = tree.files.get(folder / one.positional[0])
            patches.append(str(digest.of_bytes(content)) if content is not None else "(missing)")
    if not there:
        place = Place(file=str(folder / "package.py"))
        raise Unreadable(f"{package} has no version {pin.version}", place=place, hint="render it again")
    return Item(
        target=target, package=package, version=pin.version, sources=tuple(sorted(sources)), patches=tuple(patches)
    )


def _needs(holding: list[_Directive], pins: Mapping[str, _Pin]) -> Iterator[str]:
    for one in holding:
        if one.name == "depends_on" and one.named["type"] != "test":
            name, _ = _named(one.positional[0].split()[0])
            if name in pins and pins[name].namespace and _satisfied(one.positional[0], pins):
                yield name


def _holds(when: str, own: _Pin, pins: Mapping[str, _Pin], everywhere: frozenset[str]) -> bool:
    """Return whether the spec `when` holds for a package of `own` beside `pins`."""
    owner: _Pin | None = own
    for part in when.split():
        if part.startswith("^"):
            name, ranges = _named(part[1:])
            owner = pins.get(name)
            if owner is None or not admits(ranges, owner.version):
                return False
        elif part.startswith("@"):
            if owner is None or not admits(part[1:], owner.version):
                return False
        elif part.startswith("os="):
            if part not in everywhere:
                return False
        elif part.startswith("target="):
            family = part.removeprefix("target=").rstrip(":")
            if not any(one.startswith(f"target={family}") for one in everywhere):
                return False
        elif owner is None or part not in owner.variants:
            return False
    return True


def _satisfied(spec: str, pins: Mapping[str, _Pin]) -> bool:
    first, *others = spec.split()
    name, ranges = _named(first)
    pin = pins[name]
    return admits(ranges, pin.version) and (pin.namespace == "builtin" or pin.variants >= set(others))


def _named(text: str) -> tuple[str, str]:
    name, _, ranges = text.partition("@")
    if not _NAME.fullmatch(name):
        raise Unreadable(f"not a spec as it is rendered: {text!r}")
    return name, ranges
