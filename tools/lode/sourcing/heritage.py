"""The Software Heritage archive, the last place that is asked: it keeps public source code for good.

It hands out single files by their hashes (`/api/1/content/[type:]hash/raw/`), so it stands in for a lost archive when
that very archive was kept as a file, and for single files. Trees it puts together on request (its vault,
`/api/1/vault/flat/swh:1:dir:…/`): from one, the archive of a git origin is made anew, byte for byte.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lode import scratch
from lode.definitions.recipe import Origin
from lode.sourcing import transfer, unpack
from lode.sourcing.access import Refused, Wanted
from lode.sourcing.origins import git
from lode.sourcing.origins.way import Way, at
from lode.sourcing.reach import Link, Reach

_POLL_S = 5.0


def ways(base: str, wanted: Wanted, origins: Sequence[Origin]) -> Iterator[Way]:
    """Yield the ways to the wanted bytes in the archive at `base`: by commit, by sha256, by the id in the lock."""
    api = f"{base.rstrip('/')}/api/1"
    commits = dict.fromkeys(_commits(origins))
    for commit in commits:
        yield ByVault(api=api, commit=commit)
    if not commits:
        yield at(f"{api}/content/sha256:{wanted.sha256}/raw/")
    if wanted.swhid and wanted.swhid.startswith("swh:1:cnt:"):
        sha1 = wanted.swhid.partition(";")[0].rpartition(":")[2]
        yield at(f"{api}/content/sha1_git:{sha1}/raw/")


def _commits(origins: Sequence[Origin]) -> Iterator[str]:
    for origin in origins:
        if origin.scheme == "git":
            with contextlib.suppress(Refused):  # its own place has said what is wrong with it
                found = git.parse(origin.location)
                if not found.submodules:  # a tree of the archive has none
                    yield found.commit


@dataclass(frozen=True, slots=True, kw_only=True)
class ByVault:
    """The tree of a commit, put together by the archive."""

    api: str
    commit: str
    network: bool = True

    @property
    def text(self) -> str:
        """Return the address of the commit in the archive."""
        return f"{self.api}/revision/{self.commit}/"

    def deliver(self, wanted: Wanted, part: Path, reach: Reach) -> None:
        """Fill `part` with the archive made of the commit's tree; this may take minutes."""
        tree_id = (wanted.swhid or "").partition(";")[0]
        if not tree_id.startswith("swh:1:dir:"):
            tree_id = f"swh:1:dir:{self._ask(self.text, reach).get('directory')}"
        bundle = self._cooked(f"{self.api}/vault/flat/{tree_id}/", reach)
        with scratch.folder("vault", part.parent) as work:
            archive, tree = work / "bundle.tar.gz", work / "tree"
            transfer.save(Link(url=bundle), wanted, archive, reach)
            with archive.open("rb") as file:
                unpack.unpack(file, bundle, tree)
            git.pack_tree(tree, wanted, part, reach)

    def _cooked(self, address: str, reach: Reach) -> str:
        """Return where the bundle is, put together by the archive; Refused when it cannot or takes too long."""
        answer = self._ask(address, reach, method="POST")
        waited_s = 0.0
        while answer.get("status") in ("new", "pending"):
            if waited_s >= reach.access.cooking_s:
                raise Refused(f"the tree was not put together within {waited_s:.0f} s; try again later")
            pause_s = min(_POLL_S, reach.access.cooking_s / 10)
            reach.pause(pause_s)
            waited_s += pause_s
            answer = self._ask(address, reach)
        if answer.get("status") != "done":
            raise Refused(f"the tree cannot be put together: {answer.get('progress_message') or answer.get('status')}")
        return f"{address}raw/"

    def _ask(self, address: str, reach: Reach, *, method: str = "GET") -> dict[str, Any]:
        content, _, _ = transfer.page(Link(url=address), "application/json", reach, method=method)
        try:
            answer = json.loads(content)
        except ValueError as error:
            raise Refused("it answered with something other than JSON") from error
        if not isinstance(answer, dict):
            raise Refused("it answered with something other than a JSON object")
        return answer
