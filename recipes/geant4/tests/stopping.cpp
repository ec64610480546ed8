// Electronic stopping power of protons of 10 MeV in water: PSTAR gives 45.67 MeV cm2/g (ICRU report 49, table of liquid
// water; NIST standard reference database 124). The Bethe formula of Geant4 lies within two percent of it.
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
