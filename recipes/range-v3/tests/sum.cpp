// The sum of the squares of the even numbers up to 10 is 220.
#include <range/v3/all.hpp>

int main() {
  using namespace ranges;
  auto squares = views::iota(1, 11) | views::filter([](int i) { return i % 2 == 0; }) |
                 views::transform([](int i) { return i * i; });
  return accumulate(squares, 0) == 220 ? 0 : 1;
}
