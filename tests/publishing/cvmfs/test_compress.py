"""The bytes of compressed objects: an object's name is their hash, so they are a format."""

from __future__ import annotations

import hashlib
import random
import zlib

import pytest

from lode.definitions.repository import Compression
from lode.publishing.cvmfs import compress

DICE = random.Random(7)
WORDS = (b"return", b"double", b"energy", b"\n", b"()", b"import ", b"0x%08x", b"__init__")
SAMPLES = (
    b"",
    b"a" * 300_000,
    DICE.randbytes(70_000),
    b" ".join(DICE.choices(WORDS, k=40_000)),
    bytes(DICE.choices(range(64), weights=range(64, 0, -1), k=200_000)),
)


@pytest.mark.parametrize(
    ("level", "digest"),
    [
        (1, "0e73375319461da983f2accae5e2e18957af13e499a5496808cac0694d599764"),
        (2, "e8db0f4373c9636ab9646aa86900eeeae2a58447f08e05bd83b1e509ec8bb1ec"),
        (6, "545c48684055fc9e48a82cb1d2fcf5f0f9b213b257dd7c414c1e3955e629053e"),
    ],
)
def test_zlib_ng_writes_the_same_bytes_on_every_processor_and_day(level: int, digest: str) -> None:
    deflate = compress.deflate(Compression(engine="zlib-ng", level=level))
    written = [deflate(sample) for sample in SAMPLES]
    assert [zlib.decompress(one) for one in written] == list(SAMPLES)
    assert hashlib.sha256(b"".join(written)).hexdigest() == digest
