"""The example of pyhf's README: one channel of two bins, CLs of the signal strength 1.

The expected numbers are those of that README (version 0.7.6, "Hello World"): observed 0.05251497, median 0.06445321.
"""

import pyhf

model = pyhf.simplemodels.uncorrelated_background(signal=[12.0, 11.0], bkg=[50.0, 52.0], bkg_uncertainty=[3.0, 7.0])
data = [51, 48, *model.config.auxdata]
observed, expected = pyhf.infer.hypotest(1.0, data, model, test_stat="qtilde", return_expected=True)
assert abs(float(observed) - 0.05251497) < 1e-6, observed
assert abs(float(expected) - 0.06445321) < 1e-6, expected
