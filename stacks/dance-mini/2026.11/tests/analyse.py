"""analyse.py FILE EVENTS: check what the sink wrote and write mean yields of every energy to $LODE_NUMBERS."""

import ctypes
import json
import os
import pathlib
import sys

import h5py
import nestpy
import numpy as np

EVENT = np.dtype([("number", "<u4"), ("energy_keV", "<f4"), ("photons", "<i4"), ("electrons", "<i4")])
FIELD_V_CM, DENSITY_G_CM3 = 180.0, 2.9


def unpacked(frames: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the events in the zstd frames, by the library of the prefix."""
    zstd = ctypes.CDLL(str(pathlib.Path(sys.prefix, "lib", "libzstd.so.1")))
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    blocks = []
    for first, end in zip(offsets, [*offsets[1:], len(frames)], strict=True):
        frame = frames[first:end].tobytes()
        block = np.empty(250, EVENT)
        size = zstd.ZSTD_decompress(block.ctypes.data, block.nbytes, frame, len(frame))
        assert size <= block.nbytes and size % EVENT.itemsize == 0, f"the frame at {first} is damaged"
        blocks.append(block[: size // EVENT.itemsize])
    return np.concatenate(blocks)


def main(path: str, events: int) -> None:
    """Check the file, compare its means with the model's, and write the numbers."""
    with h5py.File(path) as file:
        columns = {name: file["events"][name][:] for name in EVENT.names}
        assert file["events/photons"].compression == "gzip"
        raw = unpacked(file["raw/frames"][:], file["raw/offsets"][:])
    assert len(columns["number"]) == events, f"{len(columns['number'])} of {events} events arrived"
    for name in EVENT.names:
        assert np.array_equal(columns[name], raw[name]), f"{name}: the columns are not the blocks"
    assert np.array_equal(columns["number"], np.arange(events)), "events are missing or out of order"

    calculator = nestpy.NESTcalc(nestpy.detectors.VDetector())
    numbers: dict[str, float] = {"events": len(raw)}
    for energy in np.unique(columns["energy_keV"]):
        chosen = columns["energy_keV"] == energy
        model = calculator.GetYields(
            interaction=nestpy.interactions.beta, energy=float(energy), density=DENSITY_G_CM3, drift_field=FIELD_V_CM
        )
        label = f"{energy:g}_keV"
        for quantum, expected in (("photons", model.PhotonYield), ("electrons", model.ElectronYield)):
            drawn = columns[quantum][chosen]
            error = drawn.std(ddof=1) / np.sqrt(len(drawn))
            numbers[f"{quantum}_{label}"] = float(drawn.mean())
            print(f"{energy:6.1f} keV: {drawn.mean():8.2f} +- {error:5.2f} {quantum}, the model says {expected:8.2f}")
            assert abs(drawn.mean() - expected) < 5 * error, f"{quantum} at {energy} keV are not the model's"
        total = columns["photons"][chosen] + columns["electrons"][chosen]
        numbers[f"work_function_{label}"] = float(energy * 1e3 / total.mean())
    pathlib.Path(os.environ["LODE_NUMBERS"]).write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
