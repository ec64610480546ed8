// A number is read from the command line, and a word in its place refused.
#include <CLI/CLI.hpp>

int main() {
  CLI::App app("run");
  int run = 0;
  app.add_option("--run", run)->required();
  app.parse("--run 7");
  if (run != 7) return 1;
  try {
    app.parse("--run seven");
  } catch (const CLI::ConversionError&) {
    return 0;
  }
  return 2;
}
