// The event of FastJet's quick start (http://fastjet.fr/quickstart.html): two jets with transverse momenta 103 and 99.
#include <fastjet/ClusterSequence.hh>

#include <cmath>

int main() {
  using namespace fastjet;
  std::vector<PseudoJet> particles{{99.0, 0.1, 0, 100.0}, {4.0, -0.1, 0, 5.0}, {-99.0, 0, 0, 99.0}};
  ClusterSequence sequence(particles, JetDefinition(antikt_algorithm, 0.7));
  auto jets = sorted_by_pt(sequence.inclusive_jets());
  return jets.size() == 2 && std::abs(jets[0].perp() - 103.0) < 1e-9 && std::abs(jets[1].perp() - 99.0) < 1e-9 ? 0 : 1;
}
