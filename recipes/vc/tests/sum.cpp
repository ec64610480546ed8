// The vector sum of the first 1000 squares is the closed form n(n+1)(2n+1)/6.
#include <Vc/Vc>

int main() {
  Vc::double_v sum(0.0);
  for (int first = 1; first <= 1000; first += static_cast<int>(Vc::double_v::size())) {
    Vc::double_v x = Vc::double_v::generate([first](int i) { return static_cast<double>(first + i); });
    sum(x <= 1000.0) += x * x;
  }
  return Vc::double_v::size() >= 2 && sum.sum() == 1000.0 * 1001.0 * 2001.0 / 6.0 ? 0 : 1;
}
