// An event with two banks: laid out as the MIDAS wiki's page "Event Structure" says, and read back by name.
#include <midas.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

static void require(bool holds) {
  if (!holds) std::abort();
}

int main() {
  static_assert(sizeof(EVENT_HEADER) == 16 && sizeof(BANK_HEADER) == 8 && sizeof(BANK32) == 12, "sizes on disk");
  alignas(8) char event[1024] = {};
  std::uint32_t* counts = nullptr;
  float* volts = nullptr;
  bk_init32(event);
  bk_create(event, "ADC0", TID_DWORD, reinterpret_cast<void**>(&counts));
  for (std::uint32_t i = 0; i < 3; ++i) *counts++ = 100 + i;
  bk_close(event, counts);
  bk_create(event, "HV00", TID_FLOAT, reinterpret_cast<void**>(&volts));
  *volts++ = 1500.5F;
  bk_close(event, volts);
  // Header of the banks, then name, type and size before data that is filled up to eight bytes.
  require(bk_size(event) == 8 + (12 + 16) + (12 + 8));
  require(std::memcmp(event + 8, "ADC0", 4) == 0);
  std::uint32_t* found = nullptr;
  bk_locate(event, "ADC0", &found);
  require(found && found[0] == 100 && found[2] == 102);
  float* high_voltage = nullptr;
  bk_locate(event, "HV00", &high_voltage);
  require(high_voltage && *high_voltage == 1500.5F);
  require(bk_locate(event, "NONE", &found) == 0);
}
