"""Verifying a signed image of 1 GB, every byte of it hashed, against sha256 alone over the same bytes, in CPU seconds.

The peer is Python's hashlib, which is OpenSSL, reading the same file from the page cache in the same process.
"""

from __future__ import annotations

import datetime
import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from lode import digest as digests
from lode.definitions.trust import sole
from lode.progress import Silent
from lode.publishing.oci import examine, store
from lode.publishing.oci.layout import Layout
from lode.signing import keys
from lode.workflow.signing import sign_image

NAME = "verify"
LAYERS, LAYER_BYTES = 8, 128 << 20


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return name, figure, unit and limit (None: no limit) of each measurement."""
    now = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)
    private = ec.generate_private_key(ec.SECP256R1())
    with tempfile.TemporaryDirectory(prefix="lode-benchmark-") as folder:
        layout = Layout(Path(folder))
        image = fill(layout)
        sign_image(layout, "1.0", name="x/y:1.0", signers=[keys.signer(private)], now=now)
        paths = [layout.path(blob.digest) for blob in image.blobs()]
        hash_all(paths)  # into the page cache
        peer_s = used(lambda: hash_all(paths))
        own_s = used(lambda: verify(layout, private, now.date()))
    return [
        ("sha256 of 1 GB", peer_s, "s CPU", None),
        ("verifying the image", own_s, "s CPU", None),
        ("verifying to sha256", own_s / peer_s, "x", 1.25),
    ]


def fill(layout: Layout) -> store.Manifest:
    """Return an image of incompressible layers, put into the layout."""
    block = hashlib.shake_128(b"lode").digest(LAYER_BYTES)
    layers = [
        store.put_bytes(layout, number.to_bytes(8, "big") + block[8:], store.LAYER_GZIP) for number in range(LAYERS)
    ]
    config = store.put_bytes(layout, digests.canonical({"architecture": "amd64", "os": "linux"}), store.CONFIG)
    made = store.manifest(
        {
            "schemaVersion": 2,
            "mediaType": store.MANIFEST,
            "config": config.document(),
            "layers": [layer.document() for layer in layers],
            "annotations": {"lode.stack": "dance", "lode.release": "1.0"},
        }
    )
    layout.put_manifest(made, "1.0")
    return made


def hash_all(paths: list[Path]) -> None:
    """Hash each file with SHA-256."""
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")


def verify(layout: Layout, private: ec.EllipticCurvePrivateKey, today: datetime.date) -> None:
    """Verify the image whole."""
    trusted = sole(keys.public_of(private))
    examine.examine(layout, "1.0", trusted, name="1.0", today=today, jobs=2, progress=Silent())


def used(work: Callable[[], None]) -> float:
    """Return the CPU seconds that `work` takes, the best of three."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best
