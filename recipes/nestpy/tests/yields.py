"""Mean yields through Python are those of the C++ library, and drawn quanta scatter about them.

The numbers of yields.json are NEST's own, of the release that each names: no measurement.
"""

import json
import os
import pathlib
import sys

import nestpy
import numpy as np

calculator = nestpy.NESTcalc(nestpy.detectors.VDetector())
beta = calculator.GetYields(interaction=nestpy.interactions.beta, energy=10.0, density=2.9, drift_field=180.0)
recoil = calculator.GetYields(interaction=nestpy.interactions.NR, energy=10.0, density=2.9, drift_field=180.0)

photons = np.array([calculator.GetQuanta(beta, density=2.9).photons for _ in range(4000)])
error = photons.std(ddof=1) / np.sqrt(len(photons))
assert abs(photons.mean() - beta.PhotonYield) < 5 * error, (photons.mean(), error, beta.PhotonYield)

loaded = pathlib.Path("/proc/self/maps").read_text()
library = next(line.split()[-1] for line in loaded.splitlines() if "libNESTCore.so" in line)
assert pathlib.Path(library).is_relative_to(sys.prefix), library

numbers = {
    "er_photons": beta.PhotonYield,
    "er_electrons": beta.ElectronYield,
    "nr_photons": recoil.PhotonYield,
    "nr_electrons": recoil.ElectronYield,
}
pathlib.Path(os.environ["LODE_NUMBERS"]).write_text(json.dumps(numbers))
