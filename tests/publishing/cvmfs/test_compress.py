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
        (1, "a2dae00258b9109604f961ceaea9506b6eaf4da9d1ffde2000f0ac6eb7090847"),
        (2, "353f2aedeb6c3e216957b0c8809ad85dc3d13b9ce8efbd933d519dbf0f0b1851"),
        (6, "401d94a6d8808fb7c5d8a526c5ef8eb5ac7d60d2cc07d009caf95da66d36aab5"),
    ],
)
def test_libdeflate_writes_the_same_bytes_on_every_processor_and_day(level: int, digest: str) -> None:
    deflate = compress.deflate(Compression(engine="libdeflate", level=level))
    written = [deflate(sample) for sample in SAMPLES]
    assert [zlib.decompress(one) for one in written] == list(SAMPLES)
    assert hashlib.sha256(b"".join(written)).hexdigest() == digest


def test_replacement_of_zlib_is_told_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compress.is_original()
    monkeypatch.setattr(compress.zlib, "compress", lambda content, level: zlib.compressobj(level - 1).compress(content))
    assert not compress.is_original()
