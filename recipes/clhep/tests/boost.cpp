// The mass of (0, 0, 3; 5) is 4, from E^2 = p^2 + m^2, and stays so under a boost and its inverse.
#include <CLHEP/Vector/LorentzVector.h>

#include <cmath>

int main() {
  CLHEP::HepLorentzVector p(0, 0, 3, 5);
  if (std::abs(p.m() - 4) > 1e-12) return 1;
  CLHEP::HepLorentzVector q = p;
  q.boost(0, 0, -p.beta());
  if (std::abs(q.e() - 4) > 1e-9) return 2;
  q.boost(0, 0, p.beta());
  return (q - p).vect().mag() < 1e-9 ? 0 : 3;
}
