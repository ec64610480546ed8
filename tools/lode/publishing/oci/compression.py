"""How layers are compressed: methods whose bytes depend on what is compressed and on nothing else.

ISA-L writes the same bytes at its levels 0 to 2 on every x86-64 processor with SSE 4.2 and others at level 3 (see
docs/decisions); a self-test at the first use refuses a machine on which that does not hold. Both libraries come with
their Python packages, whose versions are pinned, not from the system.
"""

from __future__ import annotations

import functools
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from lode.errors import HostError
from lode.publishing.oci import store

GZIP_LEVEL = 2
ZSTD_LEVEL = 3

_GZIP_HEADER = bytes.fromhex("1f8b08000000000000ff")  # RFC 1952: deflate, no name, no time, unknown system
_PROBE = b"".join(b"%x %x\n" % (number, number * number) for number in range(20_000))
_PROBED = "c49b044152c93bf2f2af08bc444211a8c24904cad8d432feb755ae26ddd02547"


class Compressor(Protocol):
    """One stream that is being compressed."""

    def compress(self, piece: Any) -> bytes:
        """Return what can be written after `piece` was added."""
        ...

    def flush(self) -> bytes:
        """Return the end of the stream."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to compress a layer."""

    name: str
    media_type: str
    form: str  # enters the keys that finished layers are remembered by: another one means other bytes
    start: Callable[[], Compressor]


def method(name: str) -> Method:
    """Return the method called `name`, `gzip` or `zstd`; HostError when this machine would write other bytes."""
    if name == "gzip":
        _test_gzip()
    return _METHODS[name]


class Gzip:
    """A gzip stream of ISA-L's deflate."""

    def __init__(self) -> None:
        """Begin a stream."""
        from isal import isal_zlib

        self._deflate = isal_zlib.compressobj(GZIP_LEVEL, isal_zlib.DEFLATED, -15)
        self._crc32 = isal_zlib.crc32
        self._sum = self._size = 0
        self._begun = False

    def compress(self, piece: Any) -> bytes:
        """Add `piece`; pieces of the same lengths give the same bytes."""
        self._sum = self._crc32(piece, self._sum)
        self._size += len(piece)
        out: bytes = self._deflate.compress(piece)
        if not self._begun:
            self._begun = True
            return _GZIP_HEADER + out
        return out

    def flush(self) -> bytes:
        """Return the end: checksum and length of what was compressed."""
        begin = b"" if self._begun else _GZIP_HEADER
        end: bytes = self._deflate.flush()
        return begin + end + struct.pack("<II", self._sum, self._size & 0xFFFFFFFF)


def _zstd() -> Compressor:
    import zstandard

    compressor: Compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True).compressobj()
    return compressor


@functools.cache
def _test_gzip() -> None:
    stream = Gzip()
    written = hashlib.sha256(stream.compress(_PROBE) + stream.flush()).hexdigest()
    if written != _PROBED:
        raise HostError(
            "the gzip compressor of this machine writes other bytes than elsewhere: image digests would differ",
            hint="use a processor of x86-64-v2 or newer and the pinned version of isal, or --compression zstd",
        )


_METHODS = {
    "gzip": Method(name="gzip", media_type=store.LAYER_GZIP, form=f"isal-{GZIP_LEVEL}", start=Gzip),
    "zstd": Method(name="zstd", media_type=store.LAYER_ZSTD, form=f"zstd-{ZSTD_LEVEL}", start=_zstd),
}
METHODS = tuple(_METHODS)
