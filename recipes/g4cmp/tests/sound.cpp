// Speeds of sound in germanium along the axes of symmetry. There the Christoffel equation has closed solutions in density
// and elastic constants (C. Kittel, Introduction to Solid State Physics, chapter 3). M. Levinshtein, S. Rumyantsev and
// M. Shur, Handbook Series on Semiconductor Parameters 1 (1996), give 5.323 g/cm3 and C11 = 126, C12 = 44, C44 = 67.7 GPa;
// G4CMP reads its own from the crystal maps, and solves for the eigenvalues.
#include <G4CMPPhononKinematics.hh>
#include <G4LatticeLogical.hh>
#include <G4LatticeManager.hh>
#include <G4NistManager.hh>
#include <G4PhononPolarization.hh>
#include <G4SystemOfUnits.hh>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace {
const double density = 5323, c11 = 126e9, c12 = 44e9, c44 = 67.7e9;  // SI

double speed(double stiffness) { return std::sqrt(stiffness / density); }

struct Axis {
  G4ThreeVector direction;
  std::array<double, 3> expected;  // longitudinal, fast and slow transverse, in m/s
};
}  // namespace

int main() {
  const G4Material* germanium = G4NistManager::Instance()->FindOrBuildMaterial("G4_Ge");
  G4LatticeLogical* lattice = G4LatticeManager::GetLatticeManager()->LoadLattice(germanium, "Ge");
  if (!lattice) return 1;
  const Axis axes[] = {
      {{1, 0, 0}, {speed(c11), speed(c44), speed(c44)}},
      {{1, 1, 0}, {speed((c11 + c12 + 2 * c44) / 2), speed(c44), speed((c11 - c12) / 2)}},
      {{1, 1, 1}, {speed((c11 + 2 * c12 + 4 * c44) / 3), speed((c11 - c12 + c44) / 3), speed((c11 - c12 + c44) / 3)}},
  };
  G4CMPPhononKinematics kinematics(lattice);
  for (const Axis& axis : axes) {
    std::array<double, 3> found;
    for (int mode : {G4PhononPolarization::Long, G4PhononPolarization::TransFast, G4PhononPolarization::TransSlow}) {
      found[mode] = kinematics.getPhaseSpeed(mode, axis.direction) / (m / s);
    }
    std::array<double, 3> expected = axis.expected;
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    for (int i = 0; i < 3; ++i) {
      std::printf("%.0f m/s, %.0f expected\n", found[i], expected[i]);
      if (std::abs(found[i] / expected[i] - 1) > 0.01) return 2;
    }
  }
  // Along an axis of fourfold symmetry energy moves with the wave.
  const G4ThreeVector x(1, 0, 0);
  const G4ThreeVector group = kinematics.getGroupVelocity(G4PhononPolarization::Long, x);
  return std::abs(group.dot(x) / kinematics.getPhaseSpeed(G4PhononPolarization::Long, x) - 1) < 1e-6 ? 0 : 3;
}
