"""A thousand numbered blocks go through PUSH/PULL on TCP in order; the library is the one of the prefix."""

import pathlib
import sys
import threading

import zmq

context = zmq.Context()
sink = context.socket(zmq.PULL)
sink.rcvtimeo = 20000
port = sink.bind_to_random_port("tcp://127.0.0.1")


def push() -> None:
    with context.socket(zmq.PUSH) as source:
        source.connect(f"tcp://127.0.0.1:{port}")
        for number in range(1000):
            source.send_multipart([number.to_bytes(4, "little"), bytes([number % 256]) * 4096])


thread = threading.Thread(target=push)
thread.start()
for wanted in range(1000):
    number, block = sink.recv_multipart()
    assert int.from_bytes(number, "little") == wanted and block == bytes([wanted % 256]) * 4096, wanted
thread.join()
sink.close()
context.term()

loaded = pathlib.Path("/proc/self/maps").read_text()
library = next(line.split()[-1] for line in loaded.splitlines() if "libzmq.so" in line)
assert pathlib.Path(library).is_relative_to(sys.prefix), library
