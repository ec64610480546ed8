#include <pulses.hpp>

int main() {
  const short samples[] = {100, 140, 120, 100};
  return pulse_area(samples, 4, 100, 20) == 3 ? 0 : 1;
}
