// A number that does not fit is refused, one that does is kept.
#include <gsl/gsl>

int main() {
  if (gsl::narrow<short>(1200) != 1200) return 1;
  try {
    gsl::narrow<short>(120000);
  } catch (const gsl::narrowing_error&) {
    return 0;
  }
  return 2;
}
