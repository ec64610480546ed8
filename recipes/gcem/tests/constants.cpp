// The compiler itself evaluates roots, exponentials and error functions to nearly double precision.
#include <gcem.hpp>

constexpr double off(double value, double wanted) { return value > wanted ? value - wanted : wanted - value; }

static_assert(off(gcem::sqrt(2.0), 1.4142135623730951) < 1e-15, "sqrt");
static_assert(off(gcem::exp(1.0), 2.718281828459045) < 1e-14, "exp");
static_assert(off(gcem::log(10.0), 2.302585092994046) < 1e-14, "log");
static_assert(off(gcem::erf(0.5), 0.5204998778130465) < 1e-14, "erf");

int main() { return GCEM_VERSION_MAJOR == 1 && GCEM_VERSION_MINOR == 14 ? 0 : 1; }
