#include <trigger.hpp>

#include <cmath>

int main() {
  Eigen::VectorXd pulse(4);
  pulse << 0, 4, 2, 1;
  return std::abs(amplitude(2.5 * pulse, pulse) - 2.5) < 1e-12 ? 0 : 1;
}
