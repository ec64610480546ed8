// A file is found in the second folder of a search path, and one that is nowhere is refused.
#include <cetlib/search_path.h>

#include <filesystem>
#include <fstream>

int main() {
  std::filesystem::create_directory("one");
  std::filesystem::create_directory("two");
  std::ofstream("two/gains.fcl") << "gain: 2.5\n";
  cet::search_path path("one:two");
  std::string found;
  return path.find_file("gains.fcl", found) && found == "two/gains.fcl" && !path.find_file("none.fcl", found) ? 0 : 1;
}
