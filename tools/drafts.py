"""First drafts of recipes: what the metadata of a Python project, an archive or a list of facts says of a package.

Nothing of an archive is run. What only a person knows, a test that proves something and the DOI to cite, is left out.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import threading
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from lode.definitions import spdx
from lode.definitions.language import LanguageError
from lode.digest import Digest
from lode.errors import SourceError, UsageError
from lode.progress import Silent
from lode.sourcing import archives
from lode.sourcing.access import Access, Refused, Wanted
from lode.sourcing.archives import Limits, Unsound
from lode.sourcing.origins import pypi
from lode.sourcing.origins.way import at
from lode.sourcing.reach import Reach

_TARGET = {"python_version": "3.13", "python_full_version": "3.13.5", "sys_platform": "linux", "extra": "",
           "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix",
           "implementation_name": "cpython", "platform_python_implementation": "CPython"}  # fmt: skip
_COMPILED = re.compile(r".*\.(?P<kind>c|cc|cpp|cxx|pyx)\Z", re.IGNORECASE)
_EGG_REQUIREMENTS = ".egg-info/requires.txt"
_LEADING_V = re.compile(r"\A([<>=~!]+)v", re.IGNORECASE)  # PEP 440 allows ==v1.2
_SYSTEM_FILES = (  # the first that lies in an archive's top folder says how it is built
    ("pyproject.toml", "python"), ("setup.py", "python"), ("CMakeLists.txt", "cmake"), ("meson.build", "meson"),
    ("configure", "autotools"), ("Makefile", "make"), ("GNUmakefile", "make"),
)  # fmt: skip
_TOOLS = {"cmake": ["cmake >=3.16", "make"], "autotools": ["make"], "make": ["make"], "meson": ["meson", "ninja"]}
_LICENCES = {  # classifiers of the time before PEP 639
    "BSD License": "BSD-3-Clause", "MIT License": "MIT", "Apache Software License": "Apache-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only", "ISC License (ISCL)": "ISC",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only", "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known of a package before somebody has built it."""

    name: str
    version: str
    summary: str
    homepage: str
    license: str
    source: Mapping[str, Any]  # as in recipe.yaml
    system: str
    tags: tuple[str, ...] = ()
    cite: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()  # what it needs to be built
    link: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    imports: str = ""  # the module that a first test imports
    args: tuple[str, ...] = ()
    upstream: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, list[str]] = field(default_factory=dict)  # dependencies that upstream's metadata names


def from_index(project: str, version: str | None, wheel: str | None = None, *, before: Version | None = None) -> Draft:
    """Return the draft of `project`, at `version` or its newest final one; SourceError when no index has its sdist.

    With `wheel`, a tag such as cp313, it is the wheel of that Python for Linux on x86_64 instead: for what nobody
    compiles. With `before` only releases of an earlier series, which is its first two numbers, are meant.
    """
    with Reach(Access(), Silent(), threading.Event()) as reach, tempfile.TemporaryDirectory() as folder:
        try:
            found, link = _newest(project, version, wheel, before, reach)
            path = Path(folder) / found.filename
            digest = Digest(found.digests["sha256"])
            wanted = Wanted(sha256=digest, size=found.size, swhid=None, filename=path.name, task=project)
            at(link.url, link=link).deliver(wanted, path, reach)
        except Refused as refused:
            raise SourceError(f"{project} cannot be had: {refused}") from refused
        location = {"pypi": f"{found.project}=={found.version}/{found.filename}", **measured(path)}
        return from_wheel(path, {**location, "unpack": False}, wheel) if wheel else from_sdist(path, location)


def _newest(
    project: str, version: str | None, wheel: str | None, before: Version | None, reach: Reach
) -> tuple[Any, Any]:
    known = []
    for file, link in pypi.listed(project, reach):
        usable = fits(file.filename, wheel) if wheel else file.package_type == "sdist"
        if usable and not file.is_yanked and file.version and "sha256" in file.digests:
            try:
                number = Version(file.version)
            except InvalidVersion:
                continue
            if before is not None and number.release[:2] >= before.release[:2]:
                continue
            if file.version == version or (version is None and not number.is_prerelease):
                known.append((number, file, link))
    if not known:
        what = f"a wheel for {wheel} on Linux" if wheel else "an sdist"
        which = f" {version}" if version else f" older than {before}" if before else ""
        raise SourceError(f"no index has {what} of {project}{which}")
    _, file, link = max(known, key=lambda row: row[0])
    return file, link


def from_sdist(path: Path, source: Mapping[str, Any]) -> Draft:
    """Return the draft of the sdist at `path` from its metadata; nothing of it is run."""
    content = _read(path, {"PKG-INFO", "pyproject.toml", _EGG_REQUIREMENTS})
    metadata = HeaderParser().parsestr(content.files.get("PKG-INFO", b"").decode("utf-8", "replace"))
    if not metadata["Name"]:
        raise SourceError(f"{path.name} has no PKG-INFO: it is no sdist")
    project = tomllib.loads(content.files.get("pyproject.toml", b"").decode())
    system = project.get("build-system", {})
    named = metadata.get_all("Requires-Dist") or _egg_requirements(content.files.get(_EGG_REQUIREMENTS, b"").decode())
    run = _requirements(named)
    build = _requirements(system.get("requires", ["setuptools"]), caps=False)
    if "backend-path" in system:  # a back-end that builds itself needs then what it needs later
        build = {**run, **build}
    name = canonicalize_name(metadata["Name"])
    python = (metadata["Requires-Python"] or "").replace(" ", "")
    languages = tuple({"pyx": "c", "c": "c"}.get(kind, "cxx") for kind in content.kinds)
    compiled = bool(languages)
    here = ("python " + _constraint(python)).strip()
    return Draft(
        name=name,
        version=metadata["Version"],
        summary=(metadata["Summary"] or name).strip().rstrip("."),
        homepage=_homepage(metadata.get_all("Project-URL") or (), metadata["Home-page"], name),
        license=_licence(metadata["License-Expression"], metadata["License"], metadata.get_all("Classifier") or ()),
        source=source,
        system="python",
        tags=("python",),
        languages=tuple(sorted(set(languages))),
        tools=tuple(build.values()),
        link=(here,) if compiled else (),
        run=(*run.values(), *(() if compiled else (here,))),
        imports=content.package or name.replace("-", "_"),
        named={"build": sorted(build), "run": sorted(run)},
    )


def _egg_requirements(text: str) -> list[str]:
    """Return the requirements in `text`, the requires.txt that setuptools writes, with the markers of its sections.

    Before metadata 2.2 the PKG-INFO of an sdist named no requirements. A section is `[extra]`, `[:marker]` or
    `[extra:marker]` (setuptools, setuptools/_core_metadata.py and setuptools/command/egg_info.py).
    """
    found, marker = [], ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            extra, _, condition = line[1:-1].partition(":")
            marker = " and ".join(
                [*([f'extra == "{extra}"'] if extra else []), *([f"({condition})"] if condition else [])]
            )
        else:
            found.append(f"{line} ; {marker}" if marker else line)
    return found


def fits(filename: str, wheel: str) -> bool:
    """Return whether the file is a wheel for the Python `wheel` on x86_64 with glibc, or for all of them (`py3`)."""
    if not filename.endswith(".whl"):
        return False
    tags = parse_wheel_filename(filename)[3]
    number = 0 if wheel == "py3" else int(wheel.removeprefix("cp3"))
    for tag in tags:
        stable = tag.abi == "abi3" and tag.interpreter.startswith("cp3") and int(tag.interpreter[3:] or 0) <= number
        if tag.platform == "any" or (
            tag.platform.startswith("manylinux")
            and tag.platform.endswith("x86_64")
            and ((tag.interpreter == wheel and tag.abi in (wheel, "abi3")) or stable or tag.interpreter == "py3")
        ):
            return True
    return False


def from_wheel(path: Path, source: Mapping[str, Any], wheel: str) -> Draft:
    """Return the draft of the wheel at `path`: it is installed as it is, and marked as built by others everywhere."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        file = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(file).decode("utf-8", "replace"))
    run = _requirements(metadata.get_all("Requires-Dist") or ())
    name = canonicalize_name(metadata["Name"])
    python = (metadata["Requires-Python"] or "").replace(" ", "")
    here = _constraint(python) if wheel == "py3" else f"==3.{wheel.removeprefix('cp3')}.*"
    return Draft(
        name=name,
        version=metadata["Version"],
        summary=(metadata["Summary"] or name).strip().rstrip("."),
        homepage=_homepage(metadata.get_all("Project-URL") or (), metadata["Home-page"], name),
        license=_licence(metadata["License-Expression"], metadata["License"], metadata.get_all("Classifier") or ()),
        source=source,
        system="wheel",
        tags=("python", "prebuilt"),
        run=(*run.values(), f"python {here}".strip()),
        imports=name.replace("-", "_"),
        named={"build": [], "run": sorted(run)},
    )


def from_archive(path: Path, *, name: str, version: str, url: str, license: str) -> Draft:  # noqa: A002
    """Return the draft of the archive at `path`, which upstream serves at `url`."""
    content = _read(path, set())
    system = next((system for file, system in _SYSTEM_FILES if file in content.top), None)
    if system is None:
        known = ", ".join(file for file, _ in _SYSTEM_FILES)
        raise UsageError(f"{path.name} has none of {known} in its top folder", hint="write its recipe by hand")
    if system == "python":
        return replace(from_sdist(path, {"url": url, **measured(path)}), name=name, version=version)
    return Draft(
        name=name,
        version=version,
        summary=name,
        homepage=url,
        license=license,
        source={"url": url, **measured(path)},
        system=system,
        languages=("c", "cxx"),
        tools=tuple(_TOOLS.get(system, ())),
    )


def from_facts(entry: Mapping[str, Any]) -> Draft:
    """Return the draft of a facts entry with the keys of Draft; UsageError unless its `source` pins something."""
    names = set(Draft.__dataclass_fields__)
    unknown = sorted(set(entry) - names)
    if unknown:
        raise UsageError(f"unknown keys: {', '.join(unknown)}", hint=f"known are: {', '.join(sorted(names))}")
    missing = sorted({"name", "version", "summary", "homepage", "license", "source", "system"} - set(entry))
    if missing:
        raise UsageError(f"missing keys: {', '.join(missing)}")
    if "sha256" not in entry["source"] and "git" not in entry["source"]:
        raise UsageError(
            f"{entry['name']}: a source without a sha256 or a commit is no pin", hint="look it up upstream"
        )
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Draft(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    top: frozenset[str]
    files: Mapping[str, bytes]
    kinds: frozenset[str]  # of compiled sources
    package: str | None  # the one Python package at the top or in src/


def _read(path: Path, wanted: set[str]) -> _Content:
    """Return what an archive's top folder holds, with the content of the files in `wanted`."""
    top: set[str] = set()
    files: dict[str, bytes] = {}
    kinds: set[str] = set()
    packages: set[str] = set()
    try:
        with path.open("rb") as file:
            for member in archives.members(file, Limits()):
                parts = member.name.strip("/").split("/")[1:]
                if len(parts) == 1:
                    top.add(parts[0])
                    if parts[0] in wanted and member.kind == "file":
                        files[parts[0]] = b"".join(member.content())
                if (
                    member.kind == "file"
                    and parts[-2:-1]
                    and "/".join((parts[-2][-9:], parts[-1])) == _EGG_REQUIREMENTS
                ):
                    files[_EGG_REQUIREMENTS] = b"".join(member.content())
                inner = parts[1:] if parts[:1] == ["src"] else parts
                if len(inner) == 2 and inner[1] == "__init__.py" and inner[0] not in ("tests", "test", "docs"):
                    packages.add(inner[0])
                if member.kind == "file" and not {"tests", "test", "docs", "examples"} & set(parts):
                    match = _COMPILED.match(member.name)
                    if match:
                        kinds.add(match["kind"].lower())
    except Unsound as unsound:
        raise SourceError(f"{path.name} cannot be read: {unsound}") from unsound
    package = next(iter(packages)) if len(packages) == 1 else None
    return _Content(top=frozenset(top), files=files, kinds=frozenset(kinds), package=package)


def measured(path: Path) -> dict[str, Any]:
    """Return hash and size of the file `path`, as a source says them."""
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": path.stat().st_size}


def _requirements(lines: Iterable[str], *, caps: bool = True) -> dict[str, str]:
    """Return name and requirement, in a recipe's words, of the `lines` that hold on the targets without extras.

    Without `caps` upper bounds are left out: those on build tools guess at what was not out yet.
    """
    found: dict[str, str] = {}
    for line in lines:
        one = Requirement(line)
        if one.marker is None or one.marker.evaluate(_TARGET):
            name = canonicalize_name(one.name)
            found[name] = f"{name} {_constraint(str(one.specifier), caps=caps)}".strip()
    return found


def _constraint(specifier: str, *, caps: bool = True) -> str:
    """Return a PEP 440 specifier in a recipe's words: bounds and pins, without exclusions of single versions."""
    kept = []
    for written in sorted(part.strip().replace(" ", "") for part in specifier.split(",")):
        part = _LEADING_V.sub(r"\1", written)
        if part.startswith("~="):
            kept.append(">=" + part[2:])
        elif part.startswith((">=", "==")) or (caps and part.startswith("<")):
            kept.append(part)
    return ",".join(sorted(kept, reverse=True))


def _homepage(urls: Iterable[str], home: str | None, name: str) -> str:
    said = {key.strip().lower(): url.strip() for key, _, url in (line.partition(",") for line in urls)}
    for key in ("homepage", "home", "source", "repository", "source code", "documentation"):
        if said.get(key, "").startswith("http"):
            return said[key]
    return (
        home if home and home.startswith("http") else f"https://homepage-of-{name}.invalid"
    )  # nobody tells: to be replaced by hand


def _licence(expression: str | None, license: str | None, classifiers: Iterable[str]) -> str:  # noqa: A002
    for candidate in (expression, license):
        try:
            return spdx.expression(candidate or "")
        except LanguageError:
            continue
    for line in classifiers:
        if (name := line.rpartition(" :: ")[2]) in _LICENCES:
            return _LICENCES[name]
    return "LicenseRef-Unknown"
