// With one angle, P(mu -> mu) in vacuum is 1 - sin^2(2 theta) sin^2(dm^2 L / 4E): the formula
// of two flavours.
#include <nuSQuIDS/nuSQuIDS.h>

#include <cmath>
#include <cstdio>
#include <memory>

int main() {
  using namespace nusquids;
  const squids::Const units;
  const double angle = 0.7, square = 2.5e-3, energy = 1 * units.GeV, length = 295 * units.km;
  nuSQUIDS one(3, neutrino);
  one.Set_MixingAngle(0, 1, 0);
  one.Set_MixingAngle(0, 2, 0);
  one.Set_MixingAngle(1, 2, angle);
  one.Set_SquareMassDifference(1, 0);
  one.Set_SquareMassDifference(2, square);
  one.Set_E(energy);
  one.Set_Body(std::make_shared<Vacuum>());
  one.Set_Track(std::make_shared<Vacuum::Track>(length));
  one.Set_initial_state(marray<double, 1>({3}, {0, 1, 0}), flavor);
  one.Set_rel_error(1e-9);
  one.Set_abs_error(1e-9);
  one.EvolveState();
  const double found = one.EvalFlavor(1);
  const double wanted = 1 - std::pow(std::sin(2 * angle) * std::sin(square * length / (4 * energy)), 2);
  std::printf("survives with %.8f, should be %.8f\n", found, wanted);
  return std::abs(found - wanted) < 1e-6 ? 0 : 1;
}
