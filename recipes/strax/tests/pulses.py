"""Pulses of known height and area are found as hits and peaks, kept on disk by a context, and come back the same."""

import numpy as np
import strax

LENGTH, DT_NS, CHANNELS, HEIGHT = 110, 10, 4, 100
START_NS, SECOND_NS = 1_000_000, 10**9


@strax.takes_config(strax.Option("height", default=HEIGHT, help="ADC counts of each pulse"))
class Records(strax.Plugin):
    """One box pulse of 20 samples in each channel, a record a second."""

    depends_on = ()
    provides = "records"
    dtype = strax.record_dtype(LENGTH)
    parallel = False
    rechunk_on_save = False

    def compute(self, chunk_i):
        second = START_NS + chunk_i * SECOND_NS
        records = np.zeros(CHANNELS, self.dtype)
        records["time"], records["dt"] = second, DT_NS
        records["channel"] = np.arange(CHANNELS)
        records["length"] = records["pulse_length"] = LENGTH
        records["data"][:, 40:60] = self.config["height"]
        return self.chunk(start=second, end=second + SECOND_NS, data=records)

    def is_ready(self, chunk_i):
        return chunk_i < 3

    def source_finished(self):
        return True


class Peaks(strax.Plugin):
    """The sum of the channels' hits."""

    depends_on = ("records",)
    provides = "peaks"
    dtype = strax.peak_dtype(n_channels=CHANNELS)

    def compute(self, records):
        hits = strax.sort_by_time(strax.find_hits(records, min_amplitude=15))
        assert len(hits) == CHANNELS and set(hits["area"]) == {20 * HEIGHT}, hits["area"]
        assert set(hits["left"]) == {40} and set(hits["right"]) == {60}
        to_pe = np.full(CHANNELS, 0.01)  # photoelectrons for an ADC count and sample
        peaks = strax.find_peaks(hits, to_pe, gap_threshold=300, min_channels=3, result_dtype=self.dtype)
        strax.sum_waveform(peaks, hits, records, strax.record_links(records), to_pe)
        strax.compute_properties(peaks)
        return peaks


context = strax.Context(storage=strax.DataDirectory("data"), register=[Records, Peaks])
made = context.get_array("run", "peaks", progress_bar=False)
assert len(made) == 3 and context.is_stored("run", "peaks")
# Four channels, 20 samples of 100 ADC counts each, 0.01 photoelectrons a count: 80 in all.
assert np.allclose(made["area"], 80) and np.allclose(made["area_per_channel"], 20), made["area"]
assert set(made["n_hits"]) == {CHANNELS}
# Of a box of 200 ns the middle half of the area takes 100 ns.
assert np.allclose(made["width"][:, 5], 100, atol=1), made["width"][:, 5]
again = strax.Context(storage=strax.DataDirectory("data", readonly=True), register=[Records, Peaks])
assert np.array_equal(again.get_array("run", "peaks", progress_bar=False), made)
# Another option is other data: it has another name and is not there.
again.set_config({"height": 50})
assert not again.is_stored("run", "peaks")
