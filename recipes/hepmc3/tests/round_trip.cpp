// A decay at rest is written as text, comes back particle by particle, and conserves energy and momentum.
#include <HepMC3/GenEvent.h>
#include <HepMC3/GenParticle.h>
#include <HepMC3/GenVertex.h>
#include <HepMC3/ReaderAscii.h>
#include <HepMC3/WriterAscii.h>

#include <cmath>
#include <cstdio>

using namespace HepMC3;

int main() {
  // pi+ -> mu+ nu_mu at rest: E_mu = (M^2 + m^2) / 2M, p = (M^2 - m^2) / 2M, with the masses in GeV of the Review of Particle
  // Physics (2022).
  const double pion = 0.13957039, muon = 0.1056583755;
  const double momentum = (pion * pion - muon * muon) / (2 * pion);
  const double energy = (pion * pion + muon * muon) / (2 * pion);
  {
    GenEvent event(Units::GEV, Units::MM);
    event.set_event_number(7);
    auto parent = std::make_shared<GenParticle>(FourVector(0, 0, 0, pion), 211, 2);
    auto lepton = std::make_shared<GenParticle>(FourVector(0, 0, momentum, energy), -13, 1);
    auto neutrino = std::make_shared<GenParticle>(FourVector(0, 0, -momentum, momentum), 14, 1);
    auto vertex = std::make_shared<GenVertex>(FourVector(1, 2, 3, 4));
    vertex->add_particle_in(parent);
    vertex->add_particle_out(lepton);
    vertex->add_particle_out(neutrino);
    event.add_vertex(vertex);
    WriterAscii writer("decay.hepmc");
    writer.write_event(event);
    writer.close();
  }

  GenEvent event;
  ReaderAscii reader("decay.hepmc");
  if (!reader.read_event(event) || event.event_number() != 7 || event.particles().size() != 3) {
    std::fprintf(stderr, "read %zu particles\n", event.particles().size());
    return 1;
  }
  FourVector sum;
  for (const auto &particle : event.vertices().at(0)->particles_out()) sum += particle->momentum();
  if (std::fabs(sum.m() - pion) > 1e-12 || std::fabs(sum.pz()) > 1e-12) {
    std::fprintf(stderr, "the daughters' mass is %.12g\n", sum.m());
    return 1;
  }
  const double mass = event.vertices().at(0)->particles_out().at(0)->momentum().m();
  if (std::fabs(mass - muon) > 1e-9 || event.vertices().at(0)->position().z() != 3) {
    std::fprintf(stderr, "the muon's mass is %.12g\n", mass);
    return 1;
  }
  return 0;
}
