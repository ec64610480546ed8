// fast_sin agrees with the C library to some 1e-15 over a turn.
#include <vdt/vdtMath.h>

#include <cmath>

int main() {
  for (int i = 0; i < 1000; ++i) {
    double x = -3.14 + 0.00628 * i;
    if (std::abs(vdt::fast_sin(x) - std::sin(x)) > 1e-14) return 1;
  }
  return 0;
}
