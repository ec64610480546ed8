"""Applying patches strictly: every hunk at its place without fuzz, all of a patch or nothing.

A patch is a debt. One that does not apply, is in the source already, or whose end condition the version meets, stops
the build with the reason it was written for, so that whoever bumps a version knows what to look at.
"""

from __future__ import annotations

import re
from pathlib import Path

from lode import process
from lode.definitions.version import Constraint, Version
from lode.errors import SourceError
from lode.locking.graph import LockedPatch, Node

_TIMEOUT_S = 300.0
# --unified: never taken for an ed script, which patch would run (CVE-2018-1000156)
_PATCH = ("env", "LC_ALL=C", "patch", "--unified", "--batch", "--forward", "--fuzz=0", "--no-backup-if-mismatch")
_FILE = re.compile(r"(?:checking|patching) (?:file|symbolic link) (.+?)(?: \(.*\))?\Z")
_HUNK = re.compile(r"Hunk #(\d+) (?:FAILED|ignored) at (\d+)")
_NAMED = re.compile(r"\|(?:\+\+\+|---) (\S+)")


def apply(node: Node, patch: LockedPatch, content: bytes, root: Path) -> None:
    """Change the tree at `root` by `content`, the bytes of `patch`; SourceError, and no change, unless it applies."""
    refuse_expired(node, patch)
    command = [*_PATCH, f"--strip={patch.strip}", f"--directory={root}"]
    trial = process.run([*command, "--dry-run"], input=content, timeout_s=_TIMEOUT_S)
    if trial.status != 0:
        backwards = [word for word in command if word != "--forward"]
        undone = process.run([*backwards, "--dry-run", "--reverse"], input=content, timeout_s=_TIMEOUT_S)
        if undone.status == 0:
            raise _error(node, patch, "is in the source already", "take the patch out of the recipe for this version")
        failure = _failure(trial.stdout + trial.stderr)
        raise _error(node, patch, f"does not apply: {failure}", "make the patch anew for this version, or take it out")
    done = process.run(command, input=content, timeout_s=_TIMEOUT_S)
    if done.status != 0:
        raise _error(node, patch, f"stopped half-way: {_failure(done.stdout + done.stderr)}", "look at the source tree")


def refuse_expired(node: Node, patch: LockedPatch) -> None:
    """Raise SourceError when the node's version meets the condition from which the patch must be gone."""
    if patch.until and Constraint.parse(patch.until).admits(Version(node.version)):
        what = f"was to be gone from version {patch.until}"
        raise _error(node, patch, what, "take the patch out of the recipe for this version, or move its `until`")


def _error(node: Node, patch: LockedPatch, what: str, hint: str) -> SourceError:
    because = f"it is there because: {patch.reason}" + (f" ({patch.upstream})" if patch.upstream else "")
    return SourceError(f"{node.package} {node.version}: the patch {patch.file} {what}; {because}", hint=hint)


def _failure(output: str) -> str:
    """Return file and place of the first thing that patch could not do, from its words (GNU patch 2.7, `patch.c`)."""
    file = named = "the file"
    for line in output.splitlines():
        if found := _FILE.match(line):
            file = found[1].strip("'")
        elif found := _NAMED.match(line):
            named = found[1]
        elif found := _HUNK.search(line):
            return f"hunk {found[1]} fails at {file}:{found[2]}"
        elif "Skipping patch" in line or "No file to patch" in line:
            return f"there is no {named}"
        elif line.startswith("patch: ****") and "Only garbage" in line:
            return "it is not a unified diff"
        elif "malformed patch" in line or "unexpectedly ends" in line:
            return line.removeprefix("patch: **** ").strip()
        elif "dangerous file name" in line or "Invalid file name" in line:
            return line.strip()
    return next((line.strip() for line in output.splitlines() if line.strip()), "patch said nothing")
