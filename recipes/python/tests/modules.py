"""Every library that Python was built with works, and nothing that only the host has was taken in."""

import bz2
import ctypes
import decimal
import hashlib
import importlib.util
import lzma
import multiprocessing
import pathlib
import sys
import sysconfig
import xml.etree.ElementTree as ElementTree
import zlib
import zoneinfo  # noqa: F401

data = bytes(range(256)) * 400
for codec in (bz2, lzma, zlib):
    packed = codec.compress(data)
    assert codec.decompress(packed) == data and len(packed) < len(data) / 10, codec

libm = ctypes.CDLL("libm.so.6")
libm.cbrt.restype, libm.cbrt.argtypes = ctypes.c_double, [ctypes.c_double]
assert abs(libm.cbrt(27.0) - 3.0) < 1e-12

assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf8f01cfea")
assert hashlib.blake2b(b"").hexdigest().startswith("786a02f742015903")
assert decimal.Decimal(1) / 7 == decimal.Decimal("0.1428571428571428571428571429")
assert ElementTree.fromstring("<a b='1'/>").get("b") == "1"
assert multiprocessing.get_all_start_methods()

prefix = pathlib.Path(sys.prefix)
for module in ("_ssl", "_sqlite3", "_curses", "_tkinter", "_dbm", "_gdbm", "readline"):
    if importlib.util.find_spec(module) is not None:  # python-extras brings some, with libraries of the prefix
        importlib.import_module(module)
maps = pathlib.Path("/proc/self/maps").read_text().splitlines()
loaded = {pathlib.Path(line.split(maxsplit=5)[5]) for line in maps if ".so" in line}
for library in ("crypto", "curses", "db", "gdbm", "readline", "sqlite3", "ssl", "tcl", "tinfo", "tk"):
    for path in loaded:
        if path.name.startswith(f"lib{library}"):
            assert path.is_relative_to(prefix.resolve()), f"{path} is the host's"

assert sysconfig.get_config_var("LIBDIR") == str(prefix / "lib"), sysconfig.get_config_var("LIBDIR")
assert pathlib.Path(sys.executable).is_relative_to(prefix)
for path in sys.path[1:]:
    assert pathlib.Path(path).is_relative_to(prefix), path
assert pathlib.Path(sysconfig.get_path("include"), "Python.h").is_file()
