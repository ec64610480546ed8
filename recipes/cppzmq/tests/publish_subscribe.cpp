// A subscriber gets the run's waveform blocks, each a header frame and a data frame, and nothing of other topics.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>
#include <zmq.hpp>
#include <zmq_addon.hpp>

int main() {
  zmq::context_t context;
  zmq::socket_t publisher(context, zmq::socket_type::xpub);
  publisher.set(zmq::sockopt::rcvtimeo, 20000);
  publisher.bind("tcp://127.0.0.1:*");
  zmq::socket_t subscriber(context, zmq::socket_type::sub);
  subscriber.set(zmq::sockopt::rcvtimeo, 20000);
  subscriber.set(zmq::sockopt::subscribe, "waveform");
  subscriber.connect(publisher.get(zmq::sockopt::last_endpoint));
  zmq::message_t subscription;
  if (!publisher.recv(subscription)) {  // the subscription has arrived: nothing sent from now on is lost
    std::fprintf(stderr, "no subscription\n");
    return 1;
  }

  std::vector<std::int16_t> samples(4096);
  std::iota(samples.begin(), samples.end(), std::int16_t{-2048});
  for (int block = 0; block < 100; ++block) {
    publisher.send(zmq::str_buffer("monitor"), zmq::send_flags::sndmore);
    publisher.send(zmq::str_buffer("ignored"));
    publisher.send(zmq::str_buffer("waveform"), zmq::send_flags::sndmore);
    publisher.send(zmq::buffer(samples));
  }
  for (int block = 0; block < 100; ++block) {
    std::vector<zmq::message_t> frames;
    if (!zmq::recv_multipart(subscriber, std::back_inserter(frames)) || frames.size() != 2) {
      std::fprintf(stderr, "block %d: %zu frames\n", block, frames.size());
      return 1;
    }
    const auto *data = frames[1].data<std::int16_t>();
    if (frames[0].to_string() != "waveform" || std::vector<std::int16_t>(data, data + frames[1].size() / 2) != samples) {
      std::fprintf(stderr, "block %d: wrong bytes\n", block);
      return 1;
    }
  }
  return 0;
}
