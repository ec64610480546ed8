// Numbers are rounded as IEEE 754 says, and the shortest text that reads back as the same number is chosen.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

int main() {
  if (fmt::format("{:.3f} keV", 41.5516) != "41.552 keV") return 1;
  if (fmt::format("{}", 0.1 + 0.2) != "0.30000000000000004") return 2;
  if (fmt::format("{}", std::vector<int>{1, 2, 3}) != "[1, 2, 3]") return 3;
  try {
    static_cast<void>(fmt::format(fmt::runtime("{:d}"), "text"));
  } catch (const fmt::format_error&) {
    return 0;
  }
  return 4;
}
