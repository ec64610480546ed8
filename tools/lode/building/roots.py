"""A target's systems on disk: unpacked root file systems in canonical form, each with a record of what it is.

Nothing in them tells when, where or from which mirror they were made: logs, caches, machine ids and device nodes are
left out, everything is root's own, and times are those of the packages' epoch. So two that were made of the same
packages are the same, and the digest of the inventory names them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from lode import inventory, scratch, tree
from lode.building import rpm_database
from lode.digest import Digest
from lode.errors import BuildError, Fault
from lode.rendering.script import EPOCH

SCHEMA = 1
FORM = 2  # of a canonical system: a change of what is left out makes all of them again
RECORD, ROOTFS, INVENTORY = "root.json", "rootfs", "inventory.jsonl"
_LEFT_OUT = re.compile(
    r"(?:dev|proc|sys|run|tmp|lode|cvmfs|var/tmp|var/log|var/cache|var/lib/apt/lists|boot|media|mnt)/.*"
    r"|var/lib/(?:systemd/(?:random-seed|catalog/.*)|dpkg/(?:.*-old|lock.*|triggers/Lock)|dnf/.*|rpm/\.rpm\.lock)"
    r"|etc/(?:(?:apt/apt\.conf|dpkg/dpkg\.cfg)\.d/99mmdebstrap|machine-id|\.pwd\.lock|(?:passwd|group|shadow|gshadow|subuid|subgid)-|mtab)|\.dockerenv"
    r"|root/\.(?:bash_history|cache/.*)|usr/share/(?:man|info)/.*"
)
_FOLDERS = ("dev", "proc", "sys", "run", "tmp", "var/tmp", "var/log", "var/cache", "cvmfs", "lode", "home", "root")
_OPEN = ("tmp", "var/tmp")  # folders that everybody may write to
_FILES = {  # what a container engine or a seal shows something else on top of, and what names no machine
    "etc/hostname": b"",
    "etc/hosts": b"127.0.0.1 localhost\n::1 localhost\n",
    "etc/machine-id": b"",
    "etc/resolv.conf": b"",
}
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """One system of a target in the cache."""

    target: str
    role: str  # "builder" or "runtime"
    folder: Path  # its root file system
    asked: Digest  # of what the target said of its systems then
    made_of: Digest  # of that and the packages
    inventory: Digest
    packages: int

    @property
    def image(self) -> str:
        """Return what a container engine calls it; the tag is of its content."""
        return f"lode/{self.target}-{self.role}:{self.inventory[:16]}"


def place(cache: Path, target: str, role: str) -> Path:
    """Return the folder below `cache` that holds the system and its record."""
    return cache / "targets" / target / role


def find(cache: Path, target: str, role: str) -> Root | None:
    """Return the system that lies in the cache; None when there is none that is whole."""
    folder = place(cache, target, role)
    try:
        document = json.loads((folder / RECORD).read_bytes())
        if document["schema"] != SCHEMA or not (folder / ROOTFS).is_dir():
            return None
        return Root(
            target=target,
            role=role,
            folder=folder / ROOTFS,
            asked=Digest(document["asked"]),
            made_of=Digest(document["made_of"]),
            inventory=Digest(document["inventory"]),
            packages=document["packages"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(
    cache: Path,
    target: str,
    role: str,
    tar: Path,
    *,
    files: Mapping[str, bytes],
    asked: Digest,
    made_of: Digest,
    packages: int,
    proof: Callable[[Path], Sequence[str]],
) -> Root:
    """Unpack the tar of a system in canonical form into the cache, in place of what was there, and return it.

    `files` are written into it on top. BuildError when the tar holds what no system should, or with all that `proof`
    finds wrong with it; what was there stays then, and after a kill.
    """
    folder = place(cache, target, role)
    with scratch.folder(role, folder.parent) as work:
        new = work / role
        unpack(tar, new / ROOTFS, files=files)
        if wrong := proof(new / ROOTFS):
            hint = "correct what the target says, or the packages that it asks for"
            raise BuildError.of([Fault(message=f"{target} {role}: {each}", hint=hint) for each in wrong])
        digest = inventory.write(inventory.scan(new / ROOTFS), new / INVENTORY)
        document = {"schema": SCHEMA, "asked": asked, "made_of": made_of, "inventory": digest, "packages": packages}
        tree.replace(new / RECORD, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())
        new.chmod(0o755)
        tree.put_folder(new, folder)
    found = find(cache, target, role)
    assert found is not None
    return found


def unpack(tar: Path, root: Path, *, files: Mapping[str, bytes]) -> None:
    """Write the system in `tar` to the absent folder `root`, in canonical form.

    No member can be written through a link: folders are made first and links last.
    """
    root.mkdir(parents=True)
    links: list[tuple[str, str]] = []
    modes: dict[str, int] = {}
    with tarfile.open(tar) as archive:
        for member in archive:
            name = _name(member.name)
            if not name or _LEFT_OUT.fullmatch(name) or rpm_database.OLD.fullmatch(name):
                continue
            if member.issym():
                links.append((name, member.linkname))
            elif member.isdir():
                (root / name).mkdir(parents=True, exist_ok=True)
                modes[name] = member.mode
            elif member.isfile() or member.islnk():
                _file(archive, member, root / name)
                modes[name] = member.mode
    for name in (*_FOLDERS, "etc"):
        if not any(link == name for link, _ in links):
            (root / name).mkdir(parents=True, exist_ok=True)
            modes.setdefault(name, 0o755)
    for name, target in links:
        if name not in _FILES:
            _link(root / name, target)
    for name, content in {**_FILES, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
        modes[name] = 0o644
    rpm_database.settle(root, EPOCH)
    for path in _deepest_first(root):
        name = str(path.relative_to(root))
        if not path.is_symlink():
            path.chmod(0o1777 if name in _OPEN else _mode(modes.get(name, 0o755)))
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def _name(member: str) -> str:
    """Return a member's path relative to the root; BuildError when it leads out."""
    parts = [part for part in PurePosixPath(member).parts if part not in ("/", ".")]
    if ".." in parts:
        raise BuildError(f"the system's tar has a member {member!r} that leads out of it")
    return "/".join(parts)


def _file(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = archive.extractfile(member)  # follows a hard link to its file
    if source is None:
        raise BuildError(f"the system's tar has a link {member.name!r} to nothing")
    path.parent.mkdir(parents=True, exist_ok=True)
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file, _CHUNK)


def _link(path: Path, target: str) -> None:
    if path.is_dir() and not path.is_symlink():
        if any(path.iterdir()):  # a merged /usr whose files came first: they belong behind the link
            raise BuildError(f"the system's tar has files below {path.name}, which is a link")
        path.rmdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _mode(mode: int) -> int:
    """Return the mode that everybody can read with: no file of a system is a secret, and no program gives rights."""
    return 0o755 if mode & stat.S_IXUSR or mode & stat.S_IXOTH else 0o644


def _deepest_first(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root, topdown=False):
        for name in sorted([*folders, *files]):
            yield Path(folder, name)


def stream(root: Path, file: IO[bytes], names: Sequence[str] = ()) -> None:
    """Write the system in `root` as a tar of root's own files, sorted, with one time; `names`: only these below it."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = EPOCH
        return member

    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in names or sorted(os.listdir(root)):
            tar.add(root / name, arcname=name, filter=plain)
