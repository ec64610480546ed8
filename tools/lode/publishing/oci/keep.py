"""What a layout remembers of the layers in it, so that a layer whose entries did not change is not written again."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from lode import digest as digests
from lode import tree
from lode.digest import Digest
from lode.inventory import Entry
from lode.publishing.oci.compression import Method
from lode.publishing.oci.layer import LINKED_BYTES, PIECE_BYTES, Layer
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.store import Descriptor

_FORMAT = 1  # of the tar files that are made of entries
_FOLDER = ".layers"


def key(entries: Iterable[Entry], at: bytes, mtime: int, method: Method) -> Digest:
    """Return the digest of all that decides a layer's bytes."""
    head = [_FORMAT, at.decode("utf-8", "surrogateescape"), mtime, method.form, PIECE_BYTES, LINKED_BYTES]
    hashed = hashlib.sha256(json.dumps(head).encode())
    for one in entries:
        hashed.update(json.dumps([one.path, str(one.type), one.mode, one.size, one.content]).encode())
    return Digest(hashed.hexdigest())


def find(layout: Layout, name: Digest) -> Layer | None:
    """Return the layer of this key if the layout holds it whole."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads(_path(layout, name).read_bytes())
        digest = Digest(said["digest"])
        if layout.path(digest).stat().st_size == said["packed"]:
            blob = Descriptor(media_type=said["media_type"], digest=digest, size=said["packed"])
            return Layer(blob=blob, diff_id=Digest(said["diff_id"]), size=said["size"])
    return None


def remember(layout: Layout, name: Digest, layer: Layer) -> None:
    """Note that the layout holds the layer of this key."""
    document = {
        "media_type": layer.blob.media_type,
        "digest": layer.blob.digest,
        "packed": layer.blob.size,
        "diff_id": layer.diff_id,
        "size": layer.size,
    }
    tree.replace(_path(layout, name), digests.canonical(document))


def _path(layout: Layout, name: Digest) -> Path:
    return layout.root / _FOLDER / name
