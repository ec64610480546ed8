// At sea level most of the particles above 1 GeV that a shower leaves are muons (Review of Particle Physics, cosmic rays).
#include <CRYGenerator.h>
#include <CRYSetup.h>

#include <cstdlib>
#include <string>
#include <vector>

int main() {
  const char* data = std::getenv("CRYDATAPATH");
  CRYSetup setup("returnNeutrons 0 returnProtons 0 returnGammas 1 returnElectrons 1 returnMuons 1 date 1-1-2026 "
                 "latitude 45 altitude 0 subboxLength 10", data ? data : ".");
  CRYGenerator generator(&setup);
  std::vector<CRYParticle*> shower;
  int muons = 0, others = 0;
  for (int event = 0; event < 2000; ++event) {
    shower.clear();
    generator.genEvent(&shower);
    for (CRYParticle* particle : shower) {
      if (particle->ke() > 1000) ++(particle->id() == CRYParticle::Muon ? muons : others);
      delete particle;
    }
  }
  return muons > 100 && muons > others ? 0 : 1;
}
