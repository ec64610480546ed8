"""Known vulnerabilities of what a stack has, as OSV tells them: from its service, or from records in a folder.

The service is asked as https://google.github.io/osv.dev/post-v1-querybatch/ says. Records have the form of
https://ossf.github.io/osv-schema/; a folder holds them as JSON files or in zip archives, as OSV's own dumps do.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from lode.definitions.version import Version
from lode.errors import HostError, UsageError

SERVICE = "https://api.osv.dev"
_BATCH = 500  # of at most 1,000 that the service takes


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Subject:
    """One package at one version, as OSV names it."""

    package: str  # the recipe's name
    version: str
    ecosystem: str  # "PyPI", "GIT", "Debian"
    name: str  # there: a project, a repository's URL, a source package
    there: str  # the version as the ecosystem writes it


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Vulnerability:
    """One record that names a subject."""

    package: str
    version: str
    id: str
    summary: str = ""


def ask(subjects: Sequence[Subject], *, service: str = SERVICE, timeout_s: float = 30.0) -> tuple[Vulnerability, ...]:
    """Return what the service knows of `subjects`, sorted; HostError when it does not answer."""
    import httpx

    found = []
    try:
        with httpx.Client(timeout=timeout_s, follow_redirects=True, headers={"User-Agent": "lode"}) as client:
            for start in range(0, len(subjects), _BATCH):
                batch = subjects[start : start + _BATCH]
                answer = client.post(f"{service.rstrip('/')}/v1/querybatch", json={"queries": [*map(_query, batch)]})
                answer.raise_for_status()
                for subject, result in zip(batch, answer.json()["results"], strict=True):
                    for one in (result or {}).get("vulns") or ():
                        found.append(Vulnerability(package=subject.package, version=subject.version, id=one["id"]))
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).split("\n", 1)[0] or type(error).__name__
        hint = "a dump serves without a network: --osv FOLDER"
        raise HostError(f"{service} does not say which vulnerabilities are known: {reason}", hint=hint) from error
    return tuple(sorted(set(found)))


def _query(subject: Subject) -> dict[str, Any]:
    return {"package": {"ecosystem": subject.ecosystem, "name": subject.name}, "version": subject.there}


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What records know."""

    vulnerabilities: tuple[Vulnerability, ...]  # sorted
    ecosystems: frozenset[str]  # that any record is about: of others they know nothing


def search(subjects: Sequence[Subject], folder: Path) -> Searched:
    """Return what the records below `folder` know of `subjects`; UsageError when there is no record."""
    named: dict[tuple[str, str], list[Subject]] = {}
    for subject in subjects:
        named.setdefault((subject.ecosystem, _key(subject.ecosystem, subject.name)), []).append(subject)
    found, count, ecosystems = set(), 0, set[str]()
    for record in _records(folder):
        count += 1
        if record.get("withdrawn"):
            continue
        for affected in record.get("affected") or ():
            for key in _keys(affected):
                ecosystems.add(key[0])
                for subject in named.get(key, ()):
                    if _touches(affected, subject):
                        summary = str(record.get("summary") or "")
                        found.add(
                            Vulnerability(
                                package=subject.package, version=subject.version, id=str(record["id"]), summary=summary
                            )
                        )
    if not count:
        raise UsageError(f"{folder} holds no OSV record", hint="JSON files, or the all.zip of an ecosystem")
    return Searched(vulnerabilities=tuple(sorted(found)), ecosystems=frozenset(ecosystems))


def _records(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield every record; UsageError names the file that is none."""
    for path in sorted(folder.rglob("*")):
        try:
            if path.suffix == ".json":
                yield _record(path.read_bytes())
            elif path.suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        if name.endswith(".json"):
                            yield _record(archive.read(name))
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise UsageError(f"{path} is no OSV record: {error}") from error


def _record(content: bytes) -> Mapping[str, Any]:
    record = json.loads(content)
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise ValueError("it has no id")
    return record


def _keys(affected: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    package = affected.get("package") or {}
    if package.get("name"):
        ecosystem = str(package.get("ecosystem", "")).partition(":")[0]
        yield ecosystem, _key(ecosystem, str(package["name"]))
    for one in affected.get("ranges") or ():
        if one.get("type") == "GIT" and one.get("repo"):
            yield "GIT", _key("GIT", str(one["repo"]))


def _key(ecosystem: str, name: str) -> str:
    if ecosystem == "PyPI":
        return canonicalize_name(name)
    return name.removesuffix("/").removesuffix(".git").lower() if ecosystem == "GIT" else name


def _touches(affected: Mapping[str, Any], subject: Subject) -> bool:
    """Return whether the version is listed, or lies in a range by the order of versions (schema, "evaluation").

    Debian's records list every version; its order of versions is not ours.
    """
    listed = {str(text) for text in affected.get("versions") or ()}
    if {subject.there, subject.version, f"v{subject.version}"} & listed:
        return True
    return subject.ecosystem != "Debian" and any(
        _inside(one.get("events") or (), subject.there)
        for one in affected.get("ranges") or ()
        if one.get("type") in ("ECOSYSTEM", "SEMVER")
    )


def _inside(events: Sequence[Mapping[str, str]], text: str) -> bool:
    try:
        version, steps = Version(text), [(kind, Version(at)) for event in events for kind, at in event.items()]
    except ValueError:
        return False
    inside = False
    for kind, at in sorted(steps, key=lambda step: step[1]):
        if kind == "introduced" and (at.text == "0" or version >= at):
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside
