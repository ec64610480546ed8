"""A message of Channel Access is written and read back by the protocol's rules, without a network."""

import caproto

client = caproto.ClientChannel("T:V", caproto.VirtualCircuit(caproto.CLIENT, ("127.0.0.1", 5064), 0))
assert client.name == "T:V"
request = caproto.SearchRequest("T:V", 7, caproto.DEFAULT_PROTOCOL_VERSION)
buffers = b"".join(bytes(part) for part in [request.header, *request.buffers])
commands = caproto.Broadcaster(caproto.SERVER).recv(buffers, ("127.0.0.1", 5064))
assert commands[0].name == "T:V" and commands[0].cid == 7
