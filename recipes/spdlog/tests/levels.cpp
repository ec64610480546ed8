// A message below the level is dropped, one above it is written with its level and its numbers.
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <string>

int main() {
  auto log = spdlog::basic_logger_st("run", "run.log", true);
  log->set_pattern("%l: %v");
  log->set_level(spdlog::level::info);
  log->debug("channel {} is noisy", 7);
  log->warn("high voltage at {:.1f} kV", 4.25);
  log->flush();
  std::ifstream file("run.log");
  std::string line, more;
  std::getline(file, line);
  return line == "warning: high voltage at 4.2 kV" && !std::getline(file, more) ? 0 : 1;
}
