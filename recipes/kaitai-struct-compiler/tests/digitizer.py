"""An event of a digitizer is described once, and read by the parser that the compiler writes; faults are refused."""

import importlib
import struct
import subprocess
import sys
from pathlib import Path

from kaitaistruct import ValidationNotEqualError

EVENT = """
meta:
  id: event
  endian: le
  imports: [board]
seq:
  - {id: magic, contents: EVNT}
  - {id: num_boards, type: u2}
  - {id: boards, type: board, repeat: expr, repeat-expr: num_boards}
"""
BOARD = """
meta: {id: board, endian: be}
seq:
  - {id: gain, type: f4}
  - {id: channel, type: b12}
  - {id: overflow, type: b1}
  - {id: reserved, type: b3}
  - {id: samples, type: s2, repeat: expr, repeat-expr: 3}
instances:
  amplitude: {value: "samples.max - samples[0]"}
"""


def ksc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ksc", *arguments], capture_output=True, text=True, check=False)


Path("event.ksy").write_text(EVENT, encoding="utf-8")
Path("board.ksy").write_text(BOARD, encoding="utf-8")
done = ksc("--target", "python", "--target", "cpp_stl", "--outdir", "written", "event.ksy")
assert done.returncode == 0, done.stderr

sys.path.insert(0, "written")
Event = importlib.import_module("event").Event
board = struct.pack(">fH3h", 2.5, 0x2A5 << 4 | 1 << 3, -3, 1200, -40)
event = Event.from_bytes(b"EVNT" + struct.pack("<H", 2) + board + board)
assert [one.channel for one in event.boards] == [0x2A5, 0x2A5]
assert (event.boards[1].gain, event.boards[1].overflow, event.boards[1].samples) == (2.5, True, [-3, 1200, -40])
assert event.boards[0].amplitude == 1203
try:
    Event.from_bytes(b"NOPE" + bytes(2))
except ValidationNotEqualError:
    pass
else:
    raise AssertionError("a wrong magic was taken")

header = Path("written/event.h").read_text(encoding="utf-8")
assert "uint16_t num_boards() const" in header
assert "m_gain = m__io->read_f4be();" in Path("written/board.cpp").read_text(encoding="utf-8")

Path("bad.ksy").write_text("meta: {id: bad}\nseq: [{id: a, type: nosuch}]\n", encoding="utf-8")
done = ksc("--target", "python", "bad.ksy")
assert done.returncode == 2
assert "/seq/0" in done.stderr and "nosuch" in done.stderr, done.stderr
