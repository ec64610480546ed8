// Electron and positron at the Z pole: every event conserves the energy of 91.1876 GeV (Review of Particle Physics).
#include <Pythia8/Pythia.h>

#include <cmath>

int main() {
  Pythia8::Pythia pythia("", false);
  for (const char* line : {"Print:quiet = on", "Beams:idA = 11", "Beams:idB = -11", "Beams:eCM = 91.1876",
                           "PDF:lepton = off", "WeakSingleBoson:ffbar2gmZ = on"})
    pythia.readString(line);
  if (!pythia.init()) return 1;
  for (int i = 0; i < 20; ++i) {
    if (!pythia.next()) return 2;
    double energy = 0;
    for (int j = 0; j < pythia.event.size(); ++j)
      if (pythia.event[j].isFinal()) energy += pythia.event[j].e();
    if (std::abs(energy - 91.1876) > 1e-3) return 3;
  }
  return 0;
}
