"""Systems from Debian's archive: choosing their packages with apt, and putting them together with mmdebstrap.

Choosing asks the archive, whose signature apt checks, and yields exact packages with their sha256. Putting together
uses these very files and nothing else: it needs no network, and gives the same system whatever the archive holds then.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lode import process, scratch
from lode.definitions.system_lock import SystemPackage
from lode.digest import Digest
from lode.errors import BuildError, HostError
from lode.rendering.script import EPOCH

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64el", "riscv64": "riscv64"}
_URI = re.compile(r"'([^']+)' (\S+) (\d+) SHA256:([0-9a-f]{64})\Z")
_POOL = re.compile(r"/pool/main/[^/]+/([^/]+)/([^/]+)\Z")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_CONFIGURATION = """\
Dir::Etc "{root}/etc";
Dir::State "{root}/state";
Dir::State::status "{root}/status";
Dir::Cache "{root}/cache";
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
Acquire::Languages "none";
Acquire::ForceHash "SHA256";
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite of an archive, for one architecture."""

    name: str  # "bookworm"
    arch: str  # as Debian calls it
    archive: str  # URL of the mirror, or of the snapshot in it, that packages are chosen from

    @property
    def line(self) -> str:
        """Return the line for apt's sources."""
        return f"deb [signed-by={KEYRING}] {self.archive} {self.name} main"


def suite(name: str, arch: str, snapshot: str | None, mirror: str) -> Suite:
    """Return the suite `name` of `mirror`, at a time if a snapshot is named, for an architecture as `uname -m` says."""
    archive = "/".join([mirror.rstrip("/"), *([snapshot] if snapshot else [])])
    return Suite(name=name, arch=ARCHITECTURES[arch], archive=archive)


def choose(suite: Suite, packages: Mapping[str, Sequence[str]]) -> tuple[str, tuple[SystemPackage, ...]]:
    """Return the date of the archive's state, and what each role needs today: its `packages` and the base system.

    Packages (`name` or `name=version`) are given by role. HostError when apt or the archive's keys are not here, or the
    archive cannot be reached; BuildError with apt's words when it does not have what is asked for.
    """
    roles: dict[SystemPackage, list[str]] = {}
    with _apt(suite) as (apt, lists):
        for role, names in packages.items():
            for package in _needed(apt, suite, names):
                roles.setdefault(package, []).append(role)
        date = _date(lists)
    chosen = [replace(package, roles=tuple(sorted(found))) for package, found in roles.items()]
    return date, tuple(sorted(chosen, key=lambda package: (package.name, package.version, package.arch)))


def make(
    name: str, arch: str, packages: Mapping[SystemPackage, Path], tar: Path, *, on_line: Callable[[str], None]
) -> None:
    """Write the system of the suite `name` made of `packages`, each with its file, to `tar`; no network is used.

    HostError when mmdebstrap is not here or may not make a system; BuildError with its words when it fails.
    """
    with scratch.folder("archive") as folder:
        folder.chmod(0o755)  # apt reads as a user of its own
        _lay_out(folder, name, ARCHITECTURES[arch], packages)
        argv = [
            "mmdebstrap",
            "--variant=minbase",
            "--format=tar",
            "--dpkgopt=force-unsafe-io",  # a system that a crash spoils is made again
            f"--architectures={ARCHITECTURES[arch]}",
            f"--include={','.join(sorted({package.name for package in packages}))}",
            name,
            str(tar),
            f"deb [trusted=yes] copy:{folder} {name} main",
        ]
        said: list[str] = []

        def line(text: str) -> None:
            said.append(text)
            on_line(text)

        environment = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": str(EPOCH), "TMPDIR": str(tar.parent)}
        ended = process.run([*_ends_with_us(), *argv], env=environment, on_line=line)
    if ended.status != 0:
        wrong = [text for text in said if text.startswith(("E:", "error:"))] or said[-1:]
        raise BuildError(
            f"mmdebstrap could not make a system of {name}: {'; '.join(wrong[:3])}",
            hint="it needs root, or user namespaces and entries in /etc/subuid (`man mmdebstrap`, MODES)",
        )


def _ends_with_us() -> tuple[str, ...]:
    """Return the words before a command by which all that it starts and mounts ends with this process; none for a user.

    A mmdebstrap of root's mounts /proc, /sys and more in the system that it makes, in the view of everybody; that of a
    user has a view of its own.
    """
    words = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    able = os.geteuid() == 0 and process.run([*words, "true"], env={"PATH": _PATH}).status == 0
    return words if able else ()


@contextlib.contextmanager
def _apt(suite: Suite) -> Iterator[tuple[Callable[[Sequence[str]], str], Path]]:
    """Yield a function that runs apt-get on an empty system of the suite, and the folder of its lists."""
    if not KEYRING.is_file():
        raise HostError(f"the keys of Debian's archive are not here: {KEYRING}", hint="install debian-archive-keyring")
    with scratch.folder("apt") as root:
        root.chmod(0o755)
        for name in ("etc/preferences.d", "etc/sources.list.d", "state/lists/partial", "cache/archives/partial"):
            (root / name).mkdir(parents=True)
        (root / "status").touch()
        (root / "etc/sources.list").write_text(f"{suite.line}\n", encoding="ascii")
        (root / "apt.conf").write_text(_CONFIGURATION.format(root=root, arch=suite.arch), encoding="utf-8")
        environment = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "APT_CONFIG": str(root / "apt.conf")}

        def apt(arguments: Sequence[str]) -> str:
            ended = process.run(["apt-get", *arguments], env=environment)
            if ended.status != 0:
                wrong = [line for line in ended.stderr.splitlines() if line.startswith(("E:", "W:"))]
                told = "; ".join(wrong[:3]) or f"status {ended.status}"
                raise BuildError(f"apt cannot choose packages of {suite.name} from {suite.archive}: {told}")
            return ended.stdout

        try:
            apt(["-q", "-o", "APT::Update::Error-Mode=any", "update"])
        except BuildError as error:
            told = error.faults[0].message.partition(": ")[2]
            raise HostError(
                f"the archive {suite.archive} cannot be read for {suite.name}: {told}",
                hint="this needs the network, or a mirror that has the suite: --mirror URL",
            ) from error
        yield apt, root / "state/lists"


def _needed(apt: Callable[[Sequence[str]], str], suite: Suite, names: Sequence[str]) -> Iterator[SystemPackage]:
    wanted = ["?essential", "?priority(required)", "apt", *names]
    said = apt(["-qq", "--print-uris", "--no-install-recommends", "install", *wanted])
    for line in said.splitlines():
        if match := _URI.match(line):
            url, name, size, sha256 = match.groups()
            yield _package(unquote(urlsplit(url).path), unquote(name), int(size), Digest(sha256), suite)


def _package(path: str, name: str, size: int, sha256: Digest, suite: Suite) -> SystemPackage:
    """Return what a line of apt's says: the path in the archive, and `name_version_arch.deb` with the full version."""
    pool = _POOL.search(path)
    parts = name.removesuffix(".deb").split("_")
    if pool is None or len(parts) != 3:
        raise BuildError(f"{suite.archive} has {name} at {path}, which is no place in an archive's pool")
    return SystemPackage(
        name=parts[0], version=parts[1], arch=parts[2], roles=(), source=pool[1], file=pool[2], sha256=sha256, size=size
    )


def _date(lists: Path) -> str:
    """Return the date of the archive's state, from the one signed Release file in `lists`."""
    for release in sorted(lists.glob("*_InRelease")):
        match = re.search(r"^Date: (.+)$", release.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        if match:
            return match[1].strip()
    return ""


def _lay_out(folder: Path, suite: str, arch: str, packages: Mapping[SystemPackage, Path]) -> None:
    """Make an archive of these packages alone in `folder`; each file is checked against its sha256 as it is taken."""
    stanzas = []
    for package, path in packages.items():
        copy = folder / f"{package.sha256}.deb"
        shutil.copyfile(path, copy)  # not linked: apt's own user must be able to read it
        copy.chmod(0o644)
        with copy.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != package.sha256:
            raise BuildError(f"{path} has the sha256 {found}, the lock says {package.sha256} for {package.name}")
        control = process.run(["dpkg-deb", "-f", str(copy)], env={"PATH": _PATH, "LC_ALL": "C.UTF-8"})
        if control.status != 0:
            raise BuildError(f"{path} is no Debian package: {control.stderr.strip()}")
        size = copy.stat().st_size
        stanzas.append(f"{control.stdout.strip()}\nFilename: {copy.name}\nSize: {size}\nSHA256: {found}\n")
    index = "\n".join(stanzas).encode()
    name = f"main/binary-{arch}/Packages"
    place = folder / "dists" / suite
    (place / name).parent.mkdir(parents=True)
    (place / name).write_bytes(index)
    release = (
        f"Suite: {suite}\nCodename: {suite}\nArchitectures: {arch}\nComponents: main\n"
        f"SHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} {name}\n"
    )
    (place / "Release").write_text(release, encoding="ascii")
