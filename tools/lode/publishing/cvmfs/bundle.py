"""One file for somebody else's Stratum 0: the tree for `ingest`, what proves it, what it will do, and how to do it."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

import jinja2

from lode import scratch
from lode.definitions.repository import Repository
from lode.progress import Progress
from lode.publishing.cvmfs import tarball
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.tarball import Packed

TREE, INVENTORY, SIGNATURE, PLAN, DIRTAB, SUMS, README = (
    "tree.tar", "inventory.jsonl", "prefix.dsse", "plan.txt", "cvmfsdirtab", "SHA256SUMS", "README.md"
)  # fmt: skip

_README = jinja2.Template(
    """\
# {{ mount }} for {{ name }}

This bundle holds one tree of software for the repository {{ name }}, to lie at `/cvmfs/{{ name }}{{ mount }}`; its
files name that place and work nowhere else. It has {{ packed.entries }} entries, {{ megabytes }} MB and
{{ packed.catalogs }} catalogs.

On the Stratum 0, as the owner of the repository:

```console
$ sha256sum -c SHA256SUMS
$ cvmfs_server ingest --tar_file tree.tar --base_dir {{ base }} {{ name }}
```

A tree that lies there already is to be taken away before, in a step of its own:
`cvmfs_server ingest --delete {{ base }} {{ name }}`.
Give the revision a name, so that it can be returned to:

```console
$ cvmfs_server tag -a {{ tag }} -m "{{ mount }}" {{ name }}
```

To take it back: `cvmfs_server rollback -t trunk-previous {{ name }}`.

- `tree.tar`: the tree, owner 0:0, with `.cvmfscatalog` where catalogs are to be cut.
- `cvmfsdirtab`: rules for `.cvmfsdirtab` in the root of the repository, once, so that later trees are cut alike.
- `plan.txt`: what this will add.
- `inventory.jsonl`: every entry with mode, size and SHA-256; its own SHA-256 is `{{ digest }}`.
{% if signed %}- `prefix.dsse`: the signature of that inventory by the publisher. To check the tree where it is mounted:
  `lode verify /cvmfs/{{ name }}{{ mount }} --signature prefix.dsse --key PUBLISHER.pub`.
{% else %}- There is no signature: ask the publisher for the SHA-256 of the inventory by another way.
{% endif %}""",
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that was written."""

    file: Path
    mount: str
    digest: str  # SHA-256 of the file
    packed: Packed
    signed: bool


def write(
    source: Source, repository: Repository, file: Path, *, plan: str, signature: bytes | None, progress: Progress
) -> Bundle:
    """Write the bundle of one tree; the same tree, plan and signature give the same bytes.

    `signature` is the envelope of the tree's prefix. PublicationError when a file is not what the inventory says; then,
    and after a kill, `file` is what it was.
    """
    with scratch.folder("bundle", file.parent) as work:
        inner = work / TREE
        with inner.open("wb") as out:
            packed = tarball.write(source, repository.nesting, out, progress=progress)
        texts = {
            README: _readme(source, repository.name, packed, signed=signature is not None).encode(),
            PLAN: plan.encode(),
            DIRTAB: tarball.dirtab([source.mount]).encode(),
            INVENTORY: source.inventory.read_bytes(),
            **({SIGNATURE: signature} if signature is not None else {}),
        }
        with inner.open("rb") as content:
            sums = {TREE: hashlib.file_digest(content, "sha256").hexdigest()}
        sums |= {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
        texts[SUMS] = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()
        outer = work / "bundle.tar"
        with tarfile.open(outer, "w", format=tarfile.PAX_FORMAT) as tar:
            for name, text in sorted(texts.items()):
                tar.addfile(_header(name, len(text), source.mtime), io.BytesIO(text))
            with inner.open("rb") as content:
                tar.addfile(_header(TREE, inner.stat().st_size, source.mtime), content)
        with outer.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        outer.chmod(0o644)
        os.replace(outer, file)
    return Bundle(file=file, mount=source.mount, digest=digest, packed=packed, signed=signature is not None)


def _readme(source: Source, name: str, packed: Packed, *, signed: bool) -> str:
    text: str = _README.render(
        mount=source.mount,
        name=name,
        base=source.mount.strip("/"),
        tag=source.mount.strip("/").replace("/", "-"),
        packed=packed,
        megabytes=f"{packed.size / 1e6:,.1f}",
        digest=source.digest,
        signed=signed,
    )
    return text


def _header(name: str, size: int, mtime: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = size, mtime, 0o644
    header.uname = header.gname = "root"
    return header
