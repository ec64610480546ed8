"""Commits of git repositories, as the archive that `pack` makes of their tree.

The server is asked for the one commit; one that does not hand out single commits is asked for all its refs. Attributes
and settings that would change files on their way out (line ends, filters, export-ignore, export-subst) are switched
off, so that the tree is that of the commit's own objects, and git looks at each object that it takes (fsck). Submodules
are empty folders, unless the location asks for them: then each has the commit that its parent's tree names.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lode import process, scratch
from lode.digest import Digest
from lode.sourcing import pack, swhid, transfer, unpack
from lode.sourcing.access import Refused, Wanted, redacted
from lode.sourcing.origins.way import Way, chunks
from lode.sourcing.reach import Reach

_LOCATION = re.compile(r"(.+)@([0-9a-f]{40}|[0-9a-f]{64})(\+submodules)?\Z")
_REMOTE = re.compile(r"(https?|git|ssh)://|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:")
_TIMEOUT_S = 3600.0
_DEEPEST = 16  # submodules in submodules; git knows no limit
_FIXED = ("GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:git:ssh:file", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
# Objects are looked at as they arrive, but for slips of old tools in dates and modes, which no content hangs on.
_SLIPS = ("badTimezone", "missingSpaceBeforeDate", "zeroPaddedFilemode", "zeroPaddedDate")
_FSCK = ("-c", "fetch.fsckObjects=true", *(word for one in _SLIPS for word in ("-c", f"fetch.fsck.{one}=ignore")))
_ATTRIBUTES = "* -text -eol -ident -filter -working-tree-encoding -export-ignore -export-subst\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByGit:
    """One commit of a repository."""

    url: str
    commit: str
    submodules: bool = False  # laid out too, and theirs
    depth: int = 0  # how many repositories it is below

    @property
    def text(self) -> str:
        """Return repository and commit."""
        return f"{redacted(self.url)}@{self.commit}{'+submodules' if self.submodules else ''}"

    @property
    def network(self) -> bool:
        """Return whether the repository is on another machine."""
        return bool(_REMOTE.match(self.url))

    def deliver(self, wanted: Wanted, part: Path, reach: Reach) -> None:
        """Fill `part` with the archive of the commit's tree."""
        with scratch.folder("git", part.parent) as work:
            pack_tree(self.tree(work, reach), wanted, part, reach)

    def tree(self, folder: Path, reach: Reach) -> Path:
        """Return the commit's tree, laid out below the empty `folder`; Refused with git's last words."""
        repository, tree = folder / "repository", folder / "tree"
        self._fetch(repository, reach)
        self._export(repository, folder / "export.tar", tree, reach)
        if self.submodules:
            for number, (path, below) in enumerate(self._below(repository, reach)):
                work = folder / f"submodule-{number}"
                work.mkdir()
                try:
                    _lay(below.tree(work, reach), tree, path)
                except Refused as refused:
                    raise Refused(f"its submodule {path}, {below.text}: {refused}") from None
        return tree

    def _fetch(self, repository: Path, reach: Reach) -> None:
        """Put the commit into a new repository; Refused with git's last words."""
        _git(["init", "--quiet", "--bare", str(repository)], reach)
        fetch = ["-C", str(repository), *_FSCK, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]
        try:
            _git([*fetch, "--depth=1", "--", self.url, self.commit], reach)
        except Refused:
            _git([*fetch, "--", self.url, "+refs/*:refs/remotes/there/*"], reach)
        try:
            _git(["-C", str(repository), "cat-file", "-e", f"{self.commit}^{{commit}}"], reach)
        except Refused:
            raise Refused("it does not have that commit") from None

    def _export(self, repository: Path, archive: Path, tree: Path, reach: Reach) -> None:
        (repository / "info").mkdir(exist_ok=True)
        (repository / "info" / "attributes").write_text(_ATTRIBUTES)
        _git(["-C", str(repository), "archive", "--format=tar", f"--output={archive}", self.commit], reach)
        with archive.open("rb") as file:
            unpack.unpack(file, f"{self.text}.tar", tree, strip=False)

    def _below(self, repository: Path, reach: Reach) -> Iterator[tuple[str, ByGit]]:
        """Yield each submodule of the commit's tree with its path; Refused when nothing says where it is."""
        links = _git(["-C", str(repository), "ls-tree", "-r", "-z", "--full-tree", self.commit], reach).split("\0")
        pins = [line.removeprefix("160000 commit ").split("\t", 1) for line in links if line.startswith("160000 ")]
        places = self._places(repository, reach) if pins else {}
        for commit, path in pins:
            if path not in places:
                raise Refused(f"its .gitmodules does not say where the submodule {path} comes from")
            if self.depth == _DEEPEST:
                raise Refused(f"submodules lie more than {_DEEPEST} deep")
            below = ByGit(url=_absolute(self.url, places[path]), commit=commit, submodules=True, depth=self.depth + 1)
            if self.network and not below.network:
                raise Refused(f"its submodule {path} is to come from a place on this machine, {below.url}")
            yield path, below

    def _places(self, repository: Path, reach: Reach) -> dict[str, str]:
        """Return the URL of each submodule that the commit's .gitmodules tells, by path."""
        words = ["config", "--blob", f"{self.commit}:.gitmodules", "-z", "--get-regexp", r"^submodule\..*\.(path|url)$"]
        try:
            told = _git(["-C", str(repository), *words], reach)
        except Refused:
            return {}
        values = dict(entry.split("\n", 1) for entry in told.split("\0") if "\n" in entry)
        return {
            path: values[f"{key.removesuffix('.path')}.url"]
            for key, path in values.items()
            if key.endswith(".path") and f"{key.removesuffix('.path')}.url" in values
        }


def way(location: str) -> Way:
    """Return the way to the commit that `location` names, `URL@commit` or `URL@commit+submodules`."""
    return parse(location)


def parse(location: str) -> ByGit:
    """Return the commit that `location` names; Refused unless it names a repository and a commit."""
    match = _LOCATION.match(location)
    if not match:
        raise Refused(f"{redacted(location)} is not of the form URL@commit")
    return ByGit(url=match[1], commit=match[2], submodules=match[3] is not None)


def _absolute(parent: str, url: str) -> str:
    """Return `url` of a submodule; what begins with ./ or ../ is meant from `parent`'s own (gitmodules(5))."""
    if not url.startswith(("./", "../")):
        return url
    head = re.match(r"[a-z+]+://[^/]*/|[^/]*:(?!//)", parent)
    start = head.group() if head else ""
    rest = posixpath.normpath(posixpath.join("/", parent[len(start) :], url))
    return start + (rest.lstrip("/") if start else rest)


def _lay(source: Path, tree: Path, path: str) -> None:
    """Move the folder `source` to `path` below `tree`, where git left an empty folder for it."""
    place = tree / path
    if not place.resolve().is_relative_to(tree.resolve()) or place.is_symlink() or any(place.iterdir()):
        raise Refused("its place in the tree is taken")
    place.rmdir()
    source.rename(place)


def measured(commit: ByGit, reach: Reach) -> Digest:
    """Return the sha256 of the archive of the commit's tree, which a lock pins it by; Refused with git's last words."""
    with scratch.folder("git") as work, tempfile.TemporaryFile() as archive:
        pack.pack(commit.tree(work, reach), archive)
        archive.seek(0)
        return Digest(hashlib.file_digest(archive, "sha256").hexdigest())


def pack_tree(tree: Path, wanted: Wanted, part: Path, reach: Reach) -> None:
    """Fill `part` with the archive of a commit's `tree`; Refused unless it is the wanted tree."""
    if wanted.swhid and wanted.swhid.startswith("swh:1:dir:"):
        found = swhid.swhid_of(tree)
        if found != wanted.swhid.partition(";")[0]:
            raise Refused(f"its tree is {found} instead of {wanted.swhid}")
    with tempfile.TemporaryFile(dir=tree.parent) as archive:
        pack.pack(tree, archive)
        archive.seek(0)
        transfer.copy(chunks(archive), wanted, part, reach)


def _git(arguments: list[str], reach: Reach) -> str:
    """Return what git printed; Refused with its last words."""
    done = process.run(["env", *_FIXED, "git", *arguments], timeout_s=_TIMEOUT_S, cancel=reach.stop)
    if done.timed_out:
        raise Refused(f"git did not end within {_TIMEOUT_S:.0f} s")
    if done.status != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        unsound = [line for line in lines if line.startswith("error: object ")]  # by fsck, before the last words
        raise Refused(redacted([*unsound, *lines[-1:], f"git ended with status {done.status}"][0]))
    return done.stdout
