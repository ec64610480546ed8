// Two flavours at maximal mixing: the survival probability at the first oscillation maximum is 0.
#include <SQuIDS/SUNalg.h>
#include <SQuIDS/const.h>

#include <cmath>

int main() {
  squids::Const parameters;
  parameters.SetMixingAngle(0, 1, std::acos(-1.0) / 4);
  parameters.SetEnergyDifference(1, 1.0);
  squids::SU_vector flavour = squids::SU_vector::Projector(2, 0), energy = squids::SU_vector::Projector(2, 1);
  flavour.RotateToB1(parameters);
  squids::SU_vector evolved = flavour.Evolve(energy, std::acos(-1.0));
  return std::abs(evolved * flavour) < 1e-9 ? 0 : 1;
}
