"""The bindings say which of CAEN's libraries is missing, and load it where the machine has it."""

import ctypes
import importlib
import struct

from caen_libs import _caendigitizertypes as types
from caen_libs import _utils

MODULES = {
    "caencomm": "CAENComm",
    "caendigitizer": "CAENDigitizer",
    "caendpplib": "CAENDPPLib",
    "caenhvwrapper": "caenhvwrapper",
    "caenplu": "CAEN_PLU",
    "caenvme": "CAENVME",
}


def there(library: str) -> bool:
    try:
        ctypes.CDLL(f"lib{library}.so")
    except OSError:
        return False
    return True


for module, library in MODULES.items():
    if there(library):
        assert importlib.import_module(f"caen_libs.{module}").lib.sw_release().count(".") >= 1
        continue
    try:
        importlib.import_module(f"caen_libs.{module}")
    except RuntimeError as error:
        assert str(error).startswith("Library ") and " not found" in str(error) and "caen.it" in str(error), error
        assert isinstance(error.__cause__, OSError) and ".so" in str(error.__cause__), error.__cause__
    else:
        raise AssertionError(f"{module} was imported without its library")

# What needs no library: registers as slices, the order of releases, and what an event's header of six words becomes.
memory = {0x8000 + 4 * i: 0 for i in range(8)}
registers = _utils.Registers(memory.__getitem__, memory.__setitem__)
registers[0x8004] = 0x10
registers[0x8008:0x8014:4] = [1, 2, 3]
assert registers[0x8000:0x8020:4] == [0, 0x10, 1, 2, 3, 0, 0, 0]
assert _utils.version_to_tuple("2.10.0") > _utils.version_to_tuple("2.9.1")
words = (24, 3, 0, 0b101, 7, 123456789)
raw = types.EventInfoRaw.from_buffer_copy(struct.pack("<6I", *words))
event = types.EventInfo.from_raw(raw)
assert (event.event_size, event.board_id, event.pattern) == words[:3]
assert (event.channel_mask, event.event_counter, event.trigger_time_tag) == words[3:]
print(sorted(m for m, lib in MODULES.items() if not there(lib)), "want a library of CAEN's")
