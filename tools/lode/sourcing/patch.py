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
_ANEW = "make the patch anew for this version, or take it out"
_HUNK_HEAD = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_FILE = re.compile(r"(?:checking|patching) (?:file|symbolic link) (.+?)(?: \(.*\))?\Z")
_HUNK = re.compile(r"Hunk #(\d+) (?:FAILED|ignored) at (\d+)")
_NAMED = re.compile(r"\|(?:\+\+\+|---) (\S+)")


def apply(node: Node, patch: LockedPatch, content: bytes, root: Path) -> None:
    """Change the tree at `root` by `content`, the bytes of `patch`; SourceError, and no change, unless it applies."""
    refuse_expired(node, patch)
    if fault := _fault(content):
        raise _error(node, patch, f"does not apply: {fault}", _ANEW)
    command = [*_PATCH, f"--strip={patch.strip}", f"--directory={root}"]
    trial = process.run([*command, "--dry-run"], input=content, timeout_s=_TIMEOUT_S)
    if trial.status != 0:
        backwards = [word for word in command if word != "--forward"]
        undone = process.run([*backwards, "--dry-run", "--reverse"], input=content, timeout_s=_TIMEOUT_S)
        if undone.status == 0:
            raise _error(node, patch, "is in the source already", "take the patch out of the recipe for this version")
        raise _error(node, patch, f"does not apply: {_failure(trial.stdout + trial.stderr)}", _ANEW)
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


def _fault(content: bytes) -> str | None:
    """Return what is wrong with the form of a diff: `patch` takes what it does not understand for a comment."""
    lines = content.split(b"\n")
    at = changes = 0
    while at < len(lines):
        if lines[at].startswith((b"GIT binary patch", b"Binary files ")):
            return f"line {at + 1} has a binary change, which patch cannot make"
        changes += lines[at].startswith((b"rename from ", b"new mode ", b"new file mode "))
        if not (lines[at].startswith(b"--- ") and lines[at + 1 : at + 2] and lines[at + 1].startswith(b"+++ ")):
            at += 1
            continue
        begin, at = at, at + 2
        while at < len(lines) and (hunk := _HUNK_HEAD.match(lines[at])):
            at = _after_hunk(lines, at + 1, int(hunk[1] or 1), int(hunk[2] or 1))
            changes += 1
        if at == begin + 2:
            return f"line {begin + 1} names a file, but no hunk follows"
    return None if changes else "it is not a unified diff"


def _after_hunk(lines: list[bytes], at: int, old: int, new: int) -> int:
    """Return the line after a hunk of so many old and new lines that begins at `at`."""
    while at < len(lines) and (old > 0 or new > 0 or lines[at].startswith(b"\\")):
        old -= lines[at][:1] not in (b"+", b"\\")
        new -= lines[at][:1] not in (b"-", b"\\")
        at += 1
    return at


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
        elif line.startswith("Reversed (or previously applied)"):
            return f"{file} has some of it already, but not all"
        elif "Skipping patch" in line or "No file to patch" in line:
            return f"there is no {named}"
        elif "malformed patch" in line or "unexpectedly ends" in line:
            return line.removeprefix("patch: **** ").strip()
        elif "dangerous file name" in line or "Invalid file name" in line:
            return line.strip()
    return next((line.strip() for line in output.splitlines() if line.strip()), "patch said nothing")
