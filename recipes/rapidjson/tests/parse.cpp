// A document is read, and one that is cut is refused at its place.
#include <rapidjson/document.h>

int main() {
  rapidjson::Document run, cut;
  run.Parse("{\"run\": 7}");
  cut.Parse("{\"run\": ");
  return run["run"].GetInt() == 7 && cut.HasParseError() && cut.GetErrorOffset() == 8 ? 0 : 1;
}
