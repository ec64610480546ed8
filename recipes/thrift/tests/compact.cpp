// Numbers in the compact protocol, in the bytes that doc/specs/thrift-compact-protocol.md of upstream gives.
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/transport/TBufferTransports.h>

#include <cstdlib>
#include <memory>
#include <string>

using apache::thrift::protocol::TCompactProtocol;
using apache::thrift::transport::TMemoryBuffer;

static void require(bool holds) {
  if (!holds) std::abort();
}

int main() {
  auto buffer = std::make_shared<TMemoryBuffer>();
  TCompactProtocol protocol(buffer);
  protocol.writeI32(50399);  // zigzag 100798 as a varint: be 93 06
  protocol.writeI32(-1);     // zigzag 1
  protocol.writeString("ADC0");
  require(buffer->getBufferAsString() == std::string("\xbe\x93\x06\x01\x04") + "ADC0");
  std::int32_t first = 0, second = 0;
  std::string name;
  protocol.readI32(first);
  protocol.readI32(second);
  protocol.readString(name);
  require(first == 50399 && second == -1 && name == "ADC0");
}
