"""Headers of tar members: the same bytes for the same entry wherever and by whomever they are written.

Members are POSIX ustar (IEEE Std 1003.1-2017, pax, "ustar Interchange Format") of user and group 0 without names.
What does not fit goes as GNU tar writes it, which Go's archive/tar, libarchive and Python read: `L` and `K` members in
front of a long name or link target, and sizes of 8 GiB and more in base 256. Names are bytes of any encoding.
"""

from __future__ import annotations

FILE = b"0"
HARD_LINK = b"1"
SYMLINK = b"2"
DIRECTORY = b"5"
BLOCK = 512
END = bytes(2 * BLOCK)

_LONG_NAME, _LONG_LINK = b"L", b"K"
_USTAR, _GNU = b"ustar\x0000", b"ustar  \x00"
_NAME, _PREFIX = 100, 155  # bytes
_OWNER = b"0000000\x00" * 2
_REST = bytes(64) + b"0000000\x00" * 2  # no names of owners; device 0, 0
_LARGEST_OCTAL = 8**11 - 1


def member(name: bytes, kind: bytes, *, mode: int, size: int = 0, mtime: int = 0, link: bytes = b"") -> bytes:
    """Return the header of a member, long names included; `name` is relative, that of a folder ends with a slash."""
    if len(name) <= _NAME and len(link) <= _NAME:
        return _header(name, kind, mode, size, mtime, link, _USTAR, b"")
    cut = _cut(name) if len(link) <= _NAME else None
    if cut is not None:
        return _header(name[cut + 1 :], kind, mode, size, mtime, link, _USTAR, name[:cut])
    longer = b""
    if len(link) > _NAME:
        longer += _long(_LONG_LINK, link)
    if len(name) > _NAME:
        longer += _long(_LONG_NAME, name)
    return longer + _header(name[:_NAME], kind, mode, size, mtime, link[:_NAME], _GNU, b"")


def padding(size: int) -> bytes:
    """Return what follows a file's content of `size` bytes, up to the next block."""
    return bytes(-size % BLOCK)


def _cut(name: bytes) -> int | None:
    """Return the place of the slash that parts a name into prefix and name of ustar, None when no slash does."""
    cut = name.rfind(b"/", 0, min(_PREFIX + 1, len(name) - 1))
    return cut if cut > 0 and len(name) - cut - 1 <= _NAME else None


def _long(kind: bytes, text: bytes) -> bytes:
    content = text + b"\0"
    header = _header(b"././@LongLink", kind, 0o644, len(content), 0, b"", _GNU, b"")
    return header + content + padding(len(content))


def _header(
    name: bytes, kind: bytes, mode: int, size: int, mtime: int, link: bytes, magic: bytes, prefix: bytes
) -> bytes:
    numbers = b"%07o\x00%b%b%011o\x00" % (mode, _OWNER, _number(size), mtime)
    after = b"%b%b%b%b%b" % (kind, link.ljust(_NAME, b"\0"), magic, _REST, prefix.ljust(167, b"\0"))
    name = name.ljust(_NAME, b"\0")
    total = sum(name) + sum(numbers) + sum(after) + 8 * 32
    return b"%b%b%06o\x00 %b" % (name, numbers, total, after)


def _number(size: int) -> bytes:
    return b"%011o\x00" % size if size <= _LARGEST_OCTAL else b"\x80" + size.to_bytes(11, "big")
