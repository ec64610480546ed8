// A table with a reference is read; a missing key is refused.
#include <fhiclcpp/ParameterSet.h>
#include <fhiclcpp/exception.h>

int main() {
  auto set = fhicl::ParameterSet::make("gain: 2.5 board: { channel: 7 samples: [-3, 1200] }");
  if (set.get<double>("gain") != 2.5 || set.get<int>("board.channel") != 7) return 1;
  try {
    set.get<int>("board.slot");
  } catch (const fhicl::exception&) {
    return 0;
  }
  return 2;
}
