"""Waveforms of several filters and a compound table come back; the library is the one of the prefix."""

import pathlib
import sys

import h5py
import numpy as np

rng = np.random.default_rng(1)
waveforms = (100 + rng.integers(0, 4, (500, 128))).astype("<i2")
events = np.array([(1, 10.0), (2, 41.5)], dtype=[("number", "<i8"), ("energy_keV", "<f8")])

with h5py.File("run.h5", "w") as file:
    for name in ("gzip", "lzf"):
        file.create_dataset(name, data=waveforms, chunks=(50, 128), compression=name, shuffle=True, fletcher32=True)
    file["events"] = events
    file["events"].attrs["detector"] = "xenon"
with h5py.File("run.h5") as file:
    for name in ("gzip", "lzf"):
        assert np.array_equal(file[name][:], waveforms), name
        assert file[name].id.get_storage_size() < waveforms.nbytes / 2, name
    assert np.array_equal(file["events"][:], events) and file["events"].attrs["detector"] == "xenon"

loaded = pathlib.Path("/proc/self/maps").read_text()
library = next(line.split()[-1] for line in loaded.splitlines() if "libhdf5.so" in line)
assert pathlib.Path(library).is_relative_to(sys.prefix), library
