// An option is read from words, and an unknown one refused by name.
#include <boost/program_options.hpp>

#include <string>
#include <vector>

namespace po = boost::program_options;

int main() {
  po::options_description known;
  known.add_options()("run", po::value<int>());
  po::variables_map values;
  po::store(po::command_line_parser(std::vector<std::string>{"--run", "7"}).options(known).run(), values);
  if (values["run"].as<int>() != 7) return 1;
  try {
    po::command_line_parser(std::vector<std::string>{"--ruin", "7"}).options(known).run();
  } catch (const po::unknown_option& error) {
    return error.get_option_name() == "--ruin" ? 0 : 2;
  }
  return 3;
}
