"""Targets: which there are and what this machine can do for them, and making their systems.

`update` chooses exact packages and writes them beside the target, to be read and committed; `build` makes the builder
and the runtime of exactly these, and proves that they are what the target says.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lode import digest, scratch, tree
from lode.building import roots
from lode.building.roots import Root
from lode.config import Places
from lode.definitions import system_lock
from lode.definitions.catalogue import Catalogue
from lode.definitions.recipe import Origin
from lode.definitions.system_lock import ROLES, SystemLock, SystemPackage
from lode.definitions.target import Target
from lode.digest import Digest
from lode.errors import Fault, HostError, LockError, Place
from lode.locking.graph import Lock, LockedSource
from lode.progress import Progress
from lode.sourcing.access import Access
from lode.workflow import seals

WARN_DAYS = 365  # before a target's end of life: a release of its stacks takes about as long to move


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One target, and what this machine has of it."""

    target: Target
    locked: int  # OS packages in its lock; 0 when there is none
    systems: Mapping[str, Root]  # by role, those that are made and current
    seal: str  # what would hold a build here; empty when nothing can
    ends_in_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What `update` found."""

    target: str
    path: Path
    packages: int
    changes: tuple[str, ...]  # `gcc-12 12.2.0-14 -> 12.2.0-14+deb12u1`, sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What `build` left for one role."""

    root: Root
    new: bool  # by this run; False: it was there


def lock_path(catalogue: Catalogue, target: Target) -> Path:
    """Return where the lock of the target's systems is kept, whether or not it exists."""
    return catalogue.target_file(target.name).with_suffix(".lock")


def read_lock(catalogue: Catalogue, target: Target) -> SystemLock:
    """Return the lock of the target's systems; LockError when it is missing, unsound or out of date."""
    path = lock_path(catalogue, target)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise LockError(
            f"{target.name} has no lock of its OS packages yet",
            place=Place(file=catalogue.shown(path)),
            hint=f"`lode target update {target.name}` writes it",
        ) from error
    return system_lock.load(content, catalogue.shown(path), target)


def states(
    catalogue: Catalogue, *, places: Places, environ: Mapping[str, str], today: datetime.date
) -> tuple[State, ...]:
    """Return all targets of the catalogue by name, and what this machine has of them."""
    site = seals.Site(cache=places.cache, environ=environ)
    return tuple(state(catalogue, name, site=site, today=today) for name in catalogue.target_names())


def state(catalogue: Catalogue, name: str, *, site: seals.Site, today: datetime.date) -> State:
    """Return one target and what this machine has of it."""
    target = catalogue.target(name)
    try:
        locked = len(read_lock(catalogue, target).packages)
    except LockError:
        locked = 0
    found = {role: roots.find(site.cache, name, role) for role in ROLES}
    current = {role: root for role, root in found.items() if root is not None and root.asked == asked(target)}
    ends = end_of_life(target)
    return State(
        target=target,
        locked=locked,
        systems=current,
        seal=seals.held(target, "builder", site),
        ends_in_days=None if ends is None else (ends - today).days,
    )


def buildable(lock: Lock, *, places: Places, environ: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the lock's targets that this machine can build now, in order, and why it cannot build the others."""
    site = seals.Site(cache=places.cache, environ=environ)
    able, unable = [], {}
    for locked in lock.targets:
        target = locked.definition
        try:
            seals.choose(target, "builder", "auto", site)
            able.append(target.name)
        except HostError as error:
            unable[target.name] = error.faults[0].message
    return tuple(able), unable


def end_of_life(target: Target) -> datetime.date | None:
    """Return the day on which the OS's support ends; None when the target does not say."""
    return None if target.end_of_life is None else datetime.date.fromisoformat(target.end_of_life)


def ending(targets: Iterable[Target], today: datetime.date) -> tuple[Fault, ...]:
    """Return a warning for each target whose support has ended, or ends within a year of `today`."""
    faults = []
    for target in targets:
        ends = end_of_life(target)
        if ends is None or (left := (ends - today).days) > WARN_DAYS:
            continue
        if left < 0:
            message = f"{target.name}: support of {target.os} {target.os_version} ended on {ends}"
            hint = "keep it for what must still run there; build new releases for a newer target too"
        else:
            message = f"{target.name}: support of {target.os} {target.os_version} ends on {ends}, in {left} days"
            hint = "add a newer target to the stacks that use it"
        faults.append(Fault(message=message, place=target.place, hint=hint, warning=True))
    return tuple(faults)


def asked(target: Target) -> Digest:
    """Return the digest of all that the target says of its systems."""
    return digest.of_document("system", 1, system_lock.asked(target))


def update(
    catalogue: Catalogue, name: str, *, mirror: str | None, environ: Mapping[str, str], progress: Progress
) -> Update:
    """Choose the OS packages of a target's systems as its archive has them today, and write them beside it.

    HostError when the archive cannot be reached from here.
    """
    target = catalogue.target(name)
    path = lock_path(catalogue, target)
    progress.start(name)
    try:
        progress.step(name, "choosing packages")
        archive, packages = _chosen(target, mirror, environ)
        lock = SystemLock(target=name, asked=system_lock.asked(target), archive=archive, packages=packages)
        before = _before(path, target)
        tree.replace(path, system_lock.dump(lock))
    except BaseException:
        progress.finish(name, "failed")
        raise
    progress.finish(name)
    return Update(target=name, path=path, packages=len(packages), changes=tuple(_changes(before, packages)))


def _chosen(target: Target, mirror: str | None, environ: Mapping[str, str]) -> tuple[str, tuple[SystemPackage, ...]]:
    wanted = {"builder": target.system_packages, "runtime": target.runtime_packages}
    if target.base.suite is not None:
        from lode.building import bootstrap
        from lode.sourcing.origins import debian

        mirror = mirror or target.base.mirror or debian.usual_mirror()
        if mirror is None:
            raise HostError(
                f"this machine's apt has no mirror to choose the packages of {target.name} from",
                hint="name one: --mirror URL",
            )
        return bootstrap.choose(bootstrap.suite(target.base.suite, target.arch, target.base.snapshot, mirror), wanted)
    from lode.building import base_image

    return "", base_image.choose(seals.engine_of(environ), target, wanted)


def _before(path: Path, target: Target) -> tuple[SystemPackage, ...]:
    """Return the packages that were locked, whatever the target said then."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    try:
        return system_lock.load(content, str(path), target).packages
    except LockError:
        return ()


def _changes(before: Sequence[SystemPackage], after: Sequence[SystemPackage]) -> Iterable[str]:
    olds, news = ({(each.name, each.arch): each for each in packages} for packages in (before, after))
    for key in sorted({*olds, *news}):
        old, new = olds.get(key), news.get(key)
        if old is None and new is not None:
            yield f"+ {new.name} {new.version}"
        elif new is None and old is not None:
            yield f"- {old.name} {old.version}"
        elif old is not None and new is not None and old.version != new.version:
            yield f"~ {old.name} {old.version} -> {new.version}"


def build(
    catalogue: Catalogue,
    name: str,
    *,
    places: Places,
    environ: Mapping[str, str],
    access: Access | None,
    offline: bool,
    again: bool,
    progress: Progress,
    roles: Sequence[str] = ROLES,
) -> tuple[Made, ...]:
    """Return the target's builder and runtime, or one of them, made of the packages in its lock unless they are there.

    `again`: make them in any case. Whatever fails leaves the systems that were there. LockError when the lock is
    missing or out of date; SourceError when a package cannot be had; HostError when this machine cannot make a system;
    BuildError when it is not what the target says.
    """
    target = catalogue.target(name)
    lock = read_lock(catalogue, target)
    made = []
    for role in roles:
        packages = lock.of(role)
        of = _made_of(target, role, packages)
        root = roots.find(places.cache, name, role)
        if root is not None and root.made_of == of and not again:
            made.append(Made(root=root, new=False))
            continue
        task = f"{name} {role}"
        progress.start(task)
        outcome = "failed"
        try:
            with scratch.folder("target", places.cache / "targets") as folder:
                tar = folder / "system.tar"
                if target.base.suite is not None:
                    files = _bootstrapped(target, packages, tar, places, access, offline, task, progress)
                else:
                    _refuse_offline(target, offline)
                    files = _pulled(target, role, packages, tar, environ, task, progress)
                progress.step(task, "unpacking")
                root = roots.keep(
                    places.cache, name, role, tar, files=files, made_of=of, asked=asked(target), packages=len(packages),
                    proof=partial(_proof, target, role, packages),
                )  # fmt: skip
            outcome = "done"
        finally:
            progress.finish(task, outcome)
        made.append(Made(root=root, new=True))
    return tuple(made)


def _made_of(target: Target, role: str, packages: Sequence[SystemPackage]) -> Digest:
    rows = [[package.name, package.version, package.arch, package.sha256] for package in packages]
    return digest.of_document("root", 1, {"asked": asked(target), "role": role, "packages": rows, "form": roots.FORM})


def _bootstrapped(
    target: Target,
    packages: Sequence[SystemPackage],
    tar: Path,
    places: Places,
    access: Access | None,
    offline: bool,
    task: str,
    progress: Progress,
) -> dict[str, bytes]:
    """Fetch the packages and write the system of them to `tar`; return the files that it gets on top."""
    from lode.building import bootstrap
    from lode.sourcing.fetch import gather
    from lode.sourcing.mirror import Mirror

    progress.step(task, "fetching packages")
    sources = {_source(target, package): package for package in packages}
    report = gather(
        iter([(f"{target.name}:{package.name}", source) for source, package in sources.items()]),
        Mirror(places.mirror),
        recipe_file=lambda _, relative: Path(relative),
        offline=offline,
        access=_access(target, access),
    )
    by_hash = {package.sha256: package for package in packages}
    files = {by_hash[fetched.source.sha256]: fetched.path for fetched in report.files}
    assert target.base.suite is not None
    progress.step(task, "installing")
    bootstrap.make(target.base.suite, target.arch, files, tar, on_line=partial(_step, progress, task))
    return {"etc/apt/sources.list": b"# A mirror named here serves more packages.\n"}


def _step(progress: Progress, task: str, line: str) -> None:
    progress.step(task, line[:60])


def _access(target: Target, access: Access | None) -> Access:
    """Return where a target's packages are asked for: those of a snapshot in it too, as mirrors drop old ones."""
    access, base = access or Access(), target.base
    if base.mirror is None:
        return access
    return replace(access, debian=(*access.debian, f"{base.mirror.rstrip('/')}/{base.snapshot}"))


def _source(target: Target, package: SystemPackage) -> LockedSource:
    """Return a package file as a source: from the archive's pool by its name, and by its time from a snapshot."""
    assert package.sha256 is not None
    location = f"{package.source}={package.version}/{package.file}"
    return LockedSource(
        origins=(Origin(scheme="debian", location=location),),
        sha256=package.sha256,
        size=package.size,
        swhid=None,
        directory="",
        subdirectory="",
        unpack=False,
        filename=package.file,
        targets=(target.name,),
    )


def _refuse_offline(target: Target, offline: bool) -> None:
    if offline:
        raise HostError(
            f"{target.name} is made of the base image {target.base.image} and its distribution's mirrors: "
            "neither is asked offline",
            hint=f"where there is a network: lode target build {target.name}",
        )


def _pulled(
    target: Target,
    role: str,
    packages: Sequence[SystemPackage],
    tar: Path,
    environ: Mapping[str, str],
    task: str,
    progress: Progress,
) -> dict[str, bytes]:
    from lode.building import base_image

    progress.step(task, "pulling the base image")
    base_image.make(seals.engine_of(environ), target, role, packages, tar, on_line=partial(_step, progress, task))
    return {}


def _proof(target: Target, role: str, packages: Sequence[SystemPackage], system: Path) -> tuple[str, ...]:
    from lode.building import proof

    return proof.differences(target, role, system, {package.name: package.version for package in packages})
