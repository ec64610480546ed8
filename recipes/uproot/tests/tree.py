"""A tree of events with jagged branches and a histogram are written as a ROOT file and read back."""

import awkward as ak
import numpy as np
import uproot

energy = ak.Array([[2.5, 41.5], [], [9.4]])
counts, edges = np.histogram([2.5, 9.4, 41.5], bins=5, range=(0, 50))
with uproot.recreate("run.root", compression=uproot.ZLIB(4)) as file:
    file.mktree("events", {"run": "int32", "energy": "var * float64"})
    file["events"].extend({"run": np.array([7, 7, 7], dtype="int32"), "energy": energy})
    file["spectrum"] = counts, edges

with uproot.open("run.root") as file:
    assert file["events"].num_entries == 3
    assert file["events"]["energy"].array().to_list() == energy.to_list()
    assert file["events"]["run"].array(library="np").tolist() == [7, 7, 7]
    values, bounds = file["spectrum"].to_numpy()
    assert values.tolist() == [2, 0, 0, 0, 1] and bounds[-1] == 50
    assert file.classname_of("spectrum") == "TH1D"
