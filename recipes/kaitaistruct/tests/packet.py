"""A digitizer's header is read as the code that the Kaitai compiler writes does it; wrong bytes are refused."""

import kaitaistruct
from kaitaistruct import KaitaiStruct


class Packet(KaitaiStruct):
    def __init__(self, _io, _parent=None, _root=None):
        super().__init__(_io)
        self.magic = self._io.read_bytes(4)
        if self.magic != b"EVNT":
            raise kaitaistruct.ValidationNotEqualError(b"EVNT", self.magic, self._io, "/seq/0")
        self.channel = self._io.read_u2le()
        self.gain = self._io.read_f4be()
        self.flags = [self._io.read_bits_int_be(1) for _ in range(3)]
        self._io.align_to_byte()
        self.samples = [self._io.read_s2le() for _ in range(2)]


packet = Packet.from_bytes(b"EVNT" + bytes([7, 0]) + b"\x40\x20\x00\x00" + b"\xa0" + b"\xfd\xff\xb0\x04")
assert (packet.channel, packet.gain, packet.flags, packet.samples) == (7, 2.5, [1, 0, 1], [-3, 1200])
try:
    Packet.from_bytes(b"NOPE")
except kaitaistruct.ValidationNotEqualError as error:
    assert "EVNT" in str(error) or error.expected == b"EVNT"
else:
    raise AssertionError("a wrong magic was taken")
