// {"compact": true, "schema": 0} is the 18 bytes of the example on msgpack.org, and a record comes back.
#include <msgpack.hpp>

#include <map>
#include <string>
#include <vector>

struct Hit {
  int channel;
  std::vector<short> samples;
  MSGPACK_DEFINE_MAP(channel, samples);
};

int main() {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  packer.pack_map(2);
  packer.pack(std::string("compact")), packer.pack(true), packer.pack(std::string("schema")), packer.pack(0);
  if (std::string(buffer.data(), buffer.size()) != std::string("\x82\xa7" "compact\xc3\xa6" "schema\x00", 18)) return 1;
  msgpack::sbuffer record;
  msgpack::pack(record, Hit{7, {-3, 1200, 14}});
  Hit back = msgpack::unpack(record.data(), record.size()).get().as<Hit>();
  return back.channel == 7 && back.samples == std::vector<short>{-3, 1200, 14} ? 0 : 2;
}
