// A pointer of RFC 6901 and a patch of RFC 6902 find and change what they name; doubles keep every bit.
#include <nlohmann/json.hpp>

int main() {
  using nlohmann::json;
  json run = json::parse(R"({"run": 7, "channels": [{"gain": 0.1}, {"gain": 2.5e-3}]})");
  if (run.at(json::json_pointer("/channels/1/gain")) != 2.5e-3) return 1;
  json changed = run.patch(json::parse(R"([{"op": "replace", "path": "/run", "value": 8}])"));
  if (changed["run"] != 8 || run["run"] != 7) return 2;
  return json::parse(json(0.1 + 0.2).dump()).get<double>() == 0.1 + 0.2 ? 0 : 3;
}
