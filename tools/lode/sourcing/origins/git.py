"""Commits of git repositories, as the archive that `pack` makes of their tree.

The server is asked for the one commit; one that does not hand out single commits is asked for all its refs. Attributes
and settings that would change files on their way out (line ends, filters, export-ignore, export-subst) are switched
off, so that the tree is that of the commit's own objects. Submodules are empty folders.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lode import process
from lode.sourcing import pack, swhid, transfer, unpack
from lode.sourcing.access import Refused, Wanted, redacted
from lode.sourcing.origins.way import Way, chunks
from lode.sourcing.reach import Reach

_LOCATION = re.compile(r"(.+)@([0-9a-f]{40}|[0-9a-f]{64})\Z")
_REMOTE = re.compile(r"(https?|git|ssh)://|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:")
_TIMEOUT_S = 3600.0
_FIXED = ("GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:git:ssh:file", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
_ATTRIBUTES = "* -text -eol -ident -filter -working-tree-encoding -export-ignore -export-subst\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByGit:
    """One commit of a repository."""

    url: str
    commit: str

    @property
    def text(self) -> str:
        """Return repository and commit."""
        return f"{redacted(self.url)}@{self.commit}"

    @property
    def network(self) -> bool:
        """Return whether the repository is on another machine."""
        return bool(_REMOTE.match(self.url))

    def deliver(self, wanted: Wanted, part: Path, reach: Reach) -> None:
        """Fill `part` with the archive of the commit's tree."""
        with tempfile.TemporaryDirectory(prefix="git-", dir=part.parent) as work:
            pack_tree(self.tree(Path(work), reach), wanted, part, reach)

    def tree(self, folder: Path, reach: Reach) -> Path:
        """Return the commit's tree, laid out below the empty `folder`; Refused with git's last words."""
        repository, tree = folder / "repository", folder / "tree"
        self._fetch(repository, reach)
        self._export(repository, folder / "export.tar", tree, reach)
        return tree

    def _fetch(self, repository: Path, reach: Reach) -> None:
        """Put the commit into a new repository; Refused with git's last words."""
        _git(["init", "--quiet", "--bare", str(repository)], reach)
        fetch = ["-C", str(repository), "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]
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


def way(location: str) -> Way:
    """Return the way to the commit that `location` names, `URL@commit`."""
    url, commit = parse(location)
    return ByGit(url=url, commit=commit)


def parse(location: str) -> tuple[str, str]:
    """Return repository and commit; Refused unless the location names both."""
    match = _LOCATION.match(location)
    if not match:
        raise Refused(f"{redacted(location)} is not of the form URL@commit")
    return match[1], match[2]


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


def _git(arguments: list[str], reach: Reach) -> None:
    done = process.run(["env", *_FIXED, "git", *arguments], timeout_s=_TIMEOUT_S, cancel=reach.stop)
    if done.timed_out:
        raise Refused(f"git did not end within {_TIMEOUT_S:.0f} s")
    if done.status != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise Refused(redacted(lines[-1] if lines else f"git ended with status {done.status}"))
