// Stopping power of protons of 10 MeV in liquid water: NIST's table PSTAR gives 45.67 MeV cm2/g in all, nearly all of
// it electronic. Geant4's Bethe formula, which is the electronic part, must lie within two percent of that.
#include <G4EmCalculator.hh>
#include <G4NistManager.hh>
#include <G4Proton.hh>
#include <G4BetheBlochModel.hh>
#include <G4DataVector.hh>
#include <G4SystemOfUnits.hh>

#include <cmath>
#include <cstdio>

int main() {
  G4Material* water = G4NistManager::Instance()->FindOrBuildMaterial("G4_WATER");
  if (std::abs(water->GetDensity() / (g / cm3) - 1.0) > 0.003) return 1;
  G4BetheBlochModel bethe;
  bethe.Initialise(G4Proton::Proton(), G4DataVector());
  double power = bethe.ComputeDEDXPerVolume(water, G4Proton::Proton(), 10 * MeV, 10 * MeV) / (MeV / cm);
  std::printf("%g MeV cm2/g\n", power);
  return std::abs(power / 45.67 - 1) < 0.02 ? 0 : 2;
}
