// Mean light and charge yields of recoils in liquid xenon at 180 V/cm, and what must hold whatever the model's numbers.
//
// The yields in yields.json are NEST's own, of the release that each names: no measurement, they say whether a build
// computes what that release does. The work function is held against 13.7 +- 0.2 eV, a measurement that P. Sorensen and
// C. E. Dahl quote (arXiv:1101.6080). That the field moves quanta between light and charge and keeps their sum is the
// model of recombination of J. Thomas and D. A. Imel, Phys. Rev. A 36 (1987) 614.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "NEST.hh"
#include "VDetector.hh"

int main() {
  VDetector detector;
  detector.Initialization();
  NEST::NESTcalc nest(&detector);
  const double density = 2.9, field = 180.;  // g/cm3, V/cm

  const auto beta = nest.GetYields(NEST::beta, 10., density, field, 131.293, 54.);
  const auto recoil = nest.GetYields(NEST::NR, 10., density, field, 131.293, 54.);
  const double work_eV = 10e3 / (beta.PhotonYield + beta.ElectronYield);

  // Birks-like recombination: more field frees more electrons, and the sum of quanta stays.
  const auto strong = nest.GetYields(NEST::beta, 10., density, 1000., 131.293, 54.);
  if (strong.ElectronYield <= beta.ElectronYield) {
    std::fprintf(stderr, "the charge yield does not rise with the field\n");
    return 1;
  }
  if (std::fabs(strong.PhotonYield + strong.ElectronYield - beta.PhotonYield - beta.ElectronYield) > 1e-6 * 10e3 / work_eV) {
    std::fprintf(stderr, "the number of quanta depends on the field\n");
    return 1;
  }

  std::ofstream numbers(std::getenv("LODE_NUMBERS"));
  numbers.precision(10);
  numbers << "{\"er_photons\": " << beta.PhotonYield << ", \"er_electrons\": " << beta.ElectronYield
          << ", \"er_work_function_eV\": " << work_eV << ", \"nr_photons\": " << recoil.PhotonYield
          << ", \"nr_electrons\": " << recoil.ElectronYield << "}\n";
  return numbers ? 0 : 1;
}
