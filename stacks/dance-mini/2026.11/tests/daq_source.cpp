// daq_source ENDPOINT EVENTS SEED: draw electron recoils in liquid xenon and push them to ENDPOINT in blocks.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "NEST.hh"
#include "RandomGen.hh"
#include "VDetector.hh"
#include "events.hpp"
#include "zmq.hpp"

namespace {

constexpr double kDensity_g_cm3 = 2.9, kField_V_cm = 180., kXenonMass = 131.293, kXenonCharge = 54.;
constexpr double kEnergies_keV[] = {2., 5., 10., 41.5};  // the last one is near the line of 83mKr
constexpr std::size_t kBlock = 250;

}  // namespace

int main(int count, char **words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: daq_source ENDPOINT EVENTS SEED\n");
    return 2;
  }
  const std::uint32_t events = std::strtoul(words[2], nullptr, 10);
  RandomGen::rndm()->SetSeed(std::strtoull(words[3], nullptr, 10));
  VDetector detector;
  detector.Initialization();
  NEST::NESTcalc nest(&detector);

  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::push);
  socket.set(zmq::sockopt::linger, 30000);
  socket.set(zmq::sockopt::sndtimeo, 30000);
  socket.connect(words[1]);

  std::vector<Event> block;
  const auto ship = [&] {
    if (!socket.send(zmq::buffer(block), zmq::send_flags::none)) {
      std::fprintf(stderr, "daq_source: nobody takes the data\n");
      std::exit(1);
    }
    block.clear();
  };
  for (std::uint32_t number = 0; number < events; ++number) {
    const double energy = kEnergies_keV[number % std::size(kEnergies_keV)];
    const auto yields = nest.GetYields(NEST::beta, energy, kDensity_g_cm3, kField_V_cm, kXenonMass, kXenonCharge);
    const auto quanta = nest.GetQuanta(yields, kDensity_g_cm3);
    block.push_back({number, static_cast<float>(energy), quanta.photons, quanta.electrons});
    if (block.size() == kBlock) ship();
  }
  if (!block.empty()) ship();
  ship();  // the empty block
  return 0;
}
