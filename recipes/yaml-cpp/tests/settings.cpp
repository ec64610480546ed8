// Nested settings with an alias are read, written and read again; a fault names its line.
#include <yaml-cpp/yaml.h>

#include <sstream>

int main() {
  YAML::Node board = YAML::Load("default: &gain {gain: 2.5}\nchannels: [{id: 1, hv: *gain}, {id: 2}]");
  if (board["channels"][0]["hv"]["gain"].as<double>() != 2.5) return 1;
  std::stringstream text;
  text << board;
  if (YAML::Load(text.str())["channels"][1]["id"].as<int>() != 2) return 2;
  try {
    YAML::Load("a: 1\nb: [1, 2");
  } catch (const YAML::ParserException& error) {
    return error.mark.line >= 1 ? 0 : 3;
  }
  return 4;
}
