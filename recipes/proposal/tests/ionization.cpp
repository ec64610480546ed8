// A muon near minimum ionization loses 1.992 MeV cm2/g in water (Particle Data Group, Atomic and Nuclear Properties).
#include <PROPOSAL/crosssection/CrossSection.h>
#include <PROPOSAL/crosssection/Factories/IonizationFactory.h>
#include <PROPOSAL/medium/Medium.h>
#include <PROPOSAL/medium/MediumFactory.h>
#include <PROPOSAL/particle/ParticleDef.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>

int main() {
  using namespace PROPOSAL;
  auto cuts = std::make_shared<EnergyCutSettings>(std::numeric_limits<double>::infinity(), 1., false);
  auto water = CreateMedium("Water");
  nlohmann::json config;
  config["parametrization"] = "BetheBlochRossi";
  auto ionization = make_ionization(MuMinusDef(), *water, cuts, false, config);
  double least = std::numeric_limits<double>::infinity();
  for (double energy = 200; energy < 2000; energy *= 1.05) least = std::min(least, ionization->CalculatedEdx(energy));
  std::printf("least loss %.4f MeV cm2/g\n", least);
  return std::abs(least / 1.992 - 1) < 0.02 ? 0 : 1;
}
