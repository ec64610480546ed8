"""An independent reader of CVMFS repositories: from the public key to every file. It shares no code with the publisher.

Written from the format's description only. Anything that is not as it must be raises `Broken`.
"""

from __future__ import annotations

import datetime
import hashlib
import sqlite3
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

Fetch = Callable[[str], bytes]

STATISTICS = {
    f"{scope}_{name}"
    for scope in ("self", "subtree")
    for name in (
        "regular", "symlink", "special", "dir", "nested", "chunked", "chunks", "file_size", "chunked_size", "xattr",
        "external", "external_file_size",
    )
}  # fmt: skip


class Broken(Exception):
    """The repository is not what a client or the reference's `check` takes."""


@dataclass
class Node:
    mode: int
    size: int
    mtime: int
    links: int
    uid: int
    gid: int
    target: bytes
    content: Callable[[], bytes] | None


@dataclass
class Mounted:
    fields: dict[str, str]
    nodes: dict[bytes, Node]
    catalogs: dict[bytes, int]  # path to entries
    tags: dict[str, tuple[str, int]]


def need(condition: object, message: str) -> None:
    if not condition:
        raise Broken(message)


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def fetch_object(fetch: Fetch, name: str, letter: str) -> bytes:
    need(len(name) == 40 and set(name) <= set("0123456789abcdef"), f"{name} is not a SHA-1")
    stored = fetch(f"data/{name[:2]}/{name[2:]}{letter}")
    need(sha1(stored) == name, f"object {name}{letter} has another hash")
    stream = zlib.decompressobj()
    content = stream.decompress(stored) + stream.flush()
    need(stream.eof and not stream.unused_data, f"object {name}{letter} is not one zlib stream")
    return content


def cut(content: bytes) -> tuple[bytes, bytes, bytes]:
    at = content.index(b"\n--\n") + 1
    end = content.index(b"\n", at + 3)
    return content[:at], content[at + 3 : end], content[end + 1 :]


def raw_rsa(pem: bytes, signature: bytes) -> bytes:
    numbers = serialization.load_pem_public_key(pem).public_numbers()  # type: ignore[union-attr]
    length = (numbers.n.bit_length() + 7) // 8  # type: ignore[union-attr]
    need(len(signature) == length, "a signature of another length than the key's")
    opened = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(length, "big")  # type: ignore
    head, zero, text = opened.partition(b"\xff\x00")
    need(zero and head.startswith(b"\x00\x01") and set(head[2:]) <= {255}, "a signature without PKCS #1 padding")
    return text


def trusted(fetch: Fetch, public: bytes, fqrn: str, now: datetime.datetime) -> dict[str, str]:
    """Return the manifest's fields, proved from the public key on."""
    body, line, signature = cut(fetch(".cvmfspublished"))
    need(sha1(body).encode() == line, "the manifest's hash line")
    fields = {text[0]: text[1:] for text in body.decode().splitlines()}
    need(set("CRDSNX") <= set(fields), "a required field of the manifest is missing")
    need(fields["R"] == hashlib.md5(b"", usedforsecurity=False).hexdigest(), "the manifest's root path")
    need(fields["N"] == fqrn, "the manifest's name")
    pem = fetch_object(fetch, fields["X"], "X")
    certificate = x509.load_pem_x509_certificate(pem)
    certificate.public_key().verify(signature, line, padding.PKCS1v15(), hashes.SHA1())  # type: ignore
    text, line, signature = cut(fetch(".cvmfswhitelist"))
    need(sha1(text).encode() == line == raw_rsa(public, signature), "the whitelist's signature")
    lines = text.decode().splitlines()
    need(len(lines[0]) == 14 and len(lines[1]) == 15 and lines[1][0] == "E", "the whitelist's times")
    need(now.strftime("%Y%m%d%H") < lines[1][1:11], "the whitelist has expired")
    need(lines[2] == f"N{fqrn}", "the whitelist's name")
    fingerprint = ":".join(f"{byte:02X}" for byte in certificate.fingerprint(hashes.SHA1()))
    need(fingerprint in [entry.split()[0] for entry in lines[3:]], "the certificate is not on the whitelist")
    return fields


def mount(fetch: Fetch, public: bytes, fqrn: str, *, now: datetime.datetime, tag: str | None = None) -> Mounted:
    """Return the whole tree of the present revision, or of a tag, every rule of the reference's `check` applied."""
    fields = trusted(fetch, public, fqrn, now)
    tags = history(fetch_object(fetch, fields["H"], "H"), fqrn)
    mounted = Mounted(fields=fields, nodes={}, catalogs={}, tags={name: row[:2] for name, row in tags.items()})
    root, size = fields["C"], int(fields["B"])
    need(tags["trunk"][:2] == (root, int(fields["S"])), "the tag trunk is not the present revision")
    if tag is not None:
        root, _, size = tags[tag]
    content = fetch_object(fetch, root, "C")
    need(len(content) == size, "the size of the root catalog")
    if tag is None:
        properties = catalog_properties(content)
        need(properties["revision"] == fields["S"], "the root catalog's revision")
        need(properties["TTL"] == fields["D"], "the root catalog's TTL")
        need("root_prefix" not in properties, "a root catalog with a prefix")
    catalog(fetch, content, b"", None, mounted)
    return mounted


def history(content: bytes, fqrn: str) -> dict[str, tuple[str, int, int]]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        base = sqlite3.connect(file.name)
        try:
            properties = dict(base.execute("SELECT key, value FROM properties"))
            need(
                (properties["schema"], properties["schema_revision"], properties["fqrn"]) == ("1.0", "3", fqrn), "tags"
            )
            need(base.execute("SELECT * FROM branches").fetchall() == [("", None, 0)], "branches")
            need({row[0] for row in base.execute("SELECT branch FROM tags")} == {""}, "branches of tags")
            base.execute("SELECT hash, flags FROM recycle_bin").fetchall()
            rows = base.execute("SELECT name, hash, revision, size, channel, timestamp, description FROM tags")
            return {row[0]: (row[1], row[2], row[3]) for row in rows}
        finally:
            base.close()


def catalog_properties(content: bytes) -> dict[str, str]:
    base = sqlite3.connect(":memory:")
    base.deserialize(content)
    try:
        return dict(base.execute("SELECT key, value FROM properties"))
    finally:
        base.close()


def halves(path: bytes) -> tuple[int, int]:
    raw = hashlib.md5(path, usedforsecurity=False).digest()
    return int.from_bytes(raw[:8], "little", signed=True), int.from_bytes(raw[8:], "little", signed=True)


def catalog(
    fetch: Fetch, content: bytes, prefix: bytes, above: tuple[object, ...] | None, mounted: Mounted
) -> dict[str, int]:
    """Add what the catalog and those below it hold; return the sums of its statistics."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        base = sqlite3.connect(file.name)
        try:
            need(base.execute("PRAGMA journal_mode").fetchone() == ("delete",), "the journal mode")
            need(base.execute("PRAGMA integrity_check").fetchone() == ("ok",), "the database is damaged")
            return _catalog(fetch, base, prefix, above, mounted)
        finally:
            base.close()


def _catalog(fetch: Fetch, base: sqlite3.Connection, prefix: bytes, above: object, mounted: Mounted) -> dict[str, int]:
    properties = dict(base.execute("SELECT key, value FROM properties"))
    need(properties["schema"] == "2.5" and properties["schema_revision"] == "6", "the schema")
    need(properties.get("root_prefix", "").encode() == prefix, f"root_prefix of {prefix!r}")
    need(not base.execute("SELECT * FROM bind_mountpoints").fetchall(), "bind mounts")
    need(base.execute("SELECT 1 FROM sqlite_master WHERE name = 'idx_catalog_parent'").fetchone(), "the index")
    need(not base.execute("SELECT 1 FROM catalog WHERE name IS NULL OR symlink IS NULL").fetchall(), "a NULL text")
    top, rowids = base.execute("SELECT count(*), max(rowid) FROM catalog").fetchone()
    need(top == rowids, "rowids are not dense")
    nested = {bytes(path): (name, size) for path, name, size in base.execute(
        "SELECT CAST(path AS BLOB), sha1, size FROM nested_catalogs")}  # fmt: skip
    select = ("SELECT md5path_1, md5path_2, parent_1, parent_2, hardlinks, hash, size, mode, mtime, flags, "
              "CAST(name AS BLOB), CAST(symlink AS BLOB), uid, gid, xattr FROM catalog ")  # fmt: skip
    own = base.execute(select + "WHERE md5path_1 = ? AND md5path_2 = ?", halves(prefix)).fetchone()
    need(own is not None, f"{prefix!r} lacks its own row")
    need(own[9] == (33 if prefix else 1), "flags of a catalog's own row")
    need(own[2:4] == ((0, 0) if not prefix else halves(prefix.rpartition(b"/")[0])), "parent of a catalog's own row")
    if above is not None:
        need(_attributes(own) == above, f"{prefix!r} differs from its mount point")
    counted = dict.fromkeys((name.removeprefix("self_") for name in STATISTICS if name.startswith("self_")), 0)
    counted["dir"] += 1
    counted["nested"] = len(nested)
    if not prefix:
        _add(mounted, prefix, own, None)
    seen, below = 1, dict.fromkeys(counted, 0)
    waiting = [prefix]
    used = set()
    while waiting:
        folder = waiting.pop()
        subfolders, marker = 0, False
        for row in base.execute(select + "WHERE parent_1 = ? AND parent_2 = ?", halves(folder)).fetchall():
            path = folder + b"/" + row[10]
            if row[:2] == own[:2]:
                continue
            seen += 1
            need(row[:2] == halves(path), f"hash of {path!r}")
            need(b"/" not in row[10] and row[10] not in (b"", b".", b".."), f"name of {path!r}")
            marker = marker or row[10] == b".cvmfscatalog"
            flags = row[9]
            if flags & 1:
                subfolders += 1
                counted["dir"] += 1
                need(stat.S_ISDIR(row[7]) and row[5] is None and row[11] == b"", f"folder {path!r}")
                _add(mounted, path, row, None)
                if flags == 3:
                    need(path in nested, f"mount point {path!r} is not listed")
                    used.add(path)
                    content = fetch_object(fetch, nested[path][0], "C")
                    need(len(content) == nested[path][1], f"size of the catalog of {path!r}")
                    for name, value in catalog(fetch, content, path, _attributes(row), mounted).items():
                        below[name] += value
                else:
                    need(flags == 1, f"flags of {path!r}")
                    waiting.append(path)
            else:
                _leaf(fetch, base, path, row, counted, mounted)
        need(marker == (folder == prefix != b""), f"marker in {folder!r}")
        need((mounted.nodes[folder].links) == 2 + subfolders, f"links of {folder!r}")
    need(seen == top, f"{top - seen} rows of {prefix!r} are reached from nowhere")
    need(used == set(nested), f"catalogs of {prefix!r} without a mount point")
    said = dict(base.execute("SELECT counter, value FROM statistics"))
    need(set(said) == STATISTICS, "rows of the statistics")
    for name in counted:
        need(said[f"self_{name}"] == counted[name], f"self_{name} of {prefix!r}: {said[f'self_{name}']}")
        need(said[f"subtree_{name}"] == below[name], f"subtree_{name} of {prefix!r}")
    mounted.catalogs[prefix] = top
    return {name: counted[name] + below[name] for name in counted}


def _leaf(
    fetch: Fetch, base: sqlite3.Connection, path: bytes, row: tuple, counted: dict[str, int], mounted: Mounted
) -> None:  # type: ignore[type-arg]
    flags = row[9]
    need(row[4] == 1, f"links of {path!r}")
    if flags == 12:
        need(stat.S_ISLNK(row[7]) and row[5] is None and row[6] == len(row[11]) > 0, f"link {path!r}")
        counted["symlink"] += 1
        _add(mounted, path, row, None)
        return
    need(flags in (4, 68) and stat.S_ISREG(row[7]) and row[11] == b"", f"file {path!r} with flags {flags}")
    counted["regular"] += 1
    counted["file_size"] += row[6]
    chunks = base.execute(
        "SELECT offset, size, hash FROM chunks WHERE md5path_1 = ? AND md5path_2 = ? ORDER BY offset", row[:2]
    ).fetchall()
    if flags == 4:
        need(not chunks and row[5] is not None, f"content of {path!r}")
        name = row[5].hex()
        _add(mounted, path, row, lambda: fetch_object(fetch, name, ""))
        return
    counted["chunked"] += 1
    counted["chunked_size"] += row[6]
    counted["chunks"] += len(chunks)
    need(chunks and row[5] is None, f"chunks of {path!r}")
    need([chunk[0] for chunk in chunks] == [sum(c[1] for c in chunks[:i]) for i in range(len(chunks))], f"{path!r}")
    need(sum(chunk[1] for chunk in chunks) == row[6], f"sum of the chunks of {path!r}")
    pieces = [(chunk[2].hex(), chunk[1]) for chunk in chunks]

    def content() -> bytes:
        found = [fetch_object(fetch, name, "P") for name, _ in pieces]
        need([len(piece) for piece in found] == [size for _, size in pieces], f"sizes of the chunks of {path!r}")
        return b"".join(found)

    _add(mounted, path, row, content)


def _attributes(row: tuple) -> tuple[object, ...]:  # type: ignore[type-arg]
    return (row[4], *row[6:9], row[10], *row[12:15])


def _add(mounted: Mounted, path: bytes, row: tuple, content: Callable[[], bytes] | None) -> None:  # type: ignore
    need(path not in mounted.nodes, f"{path!r} is there twice")
    mounted.nodes[path] = Node(
        mode=row[7], size=row[6], mtime=row[8], links=row[4] & 0xFFFFFFFF, uid=row[12], gid=row[13], target=row[11],
        content=content,
    )  # fmt: skip


def compare(mounted: Mounted, at: str, tree: Path, *, mtime: int) -> int:
    """Compare everything below `at` with the folder `tree`, byte by byte; return how many entries there are."""
    base = at.encode()
    ours = {path[len(base) + 1 :]: node for path, node in mounted.nodes.items() if path.startswith(base + b"/")}
    ours = {path: node for path, node in ours.items() if path.rpartition(b"/")[2] != b".cvmfscatalog"}
    theirs = dict(walk(bytes(tree)))
    need(set(ours) == set(theirs), f"paths differ: {sorted(set(ours) ^ set(theirs))[:5]}")
    for path, node in ours.items():
        file, status = theirs[path]
        need((node.uid, node.gid, node.mtime) == (0, 0, mtime), f"owner or time of {path!r}")
        need(stat.S_IFMT(node.mode) == stat.S_IFMT(status.st_mode), f"kind of {path!r}")
        if stat.S_ISLNK(status.st_mode):
            import os

            need(node.target == os.readlink(file), f"target of {path!r}")
            continue
        need(stat.S_IMODE(node.mode) == stat.S_IMODE(status.st_mode), f"mode of {path!r}")
        if node.content is not None:
            with open(file, "rb") as opened:
                expected = opened.read()
            need(node.size == len(expected) and node.content() == expected, f"content of {path!r}")
    return len(ours)


def walk(root: bytes) -> Iterator[tuple[bytes, tuple[bytes, object]]]:
    import os

    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            yield os.path.relpath(path, root), (path, os.lstat(path))
