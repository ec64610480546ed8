// What travels between the two processes: blocks of events as they lie in memory, an empty block at the end.
#pragma once

#include <cstdint>

struct Event {
  std::uint32_t number;
  float energy_keV;
  std::int32_t photons;
  std::int32_t electrons;
};
static_assert(sizeof(Event) == 16, "the block's layout is part of the format");
