// daq_sink ENDPOINT_FILE OUTPUT: take blocks of events and write them to an HDF5 file, as columns and as they came.
//
// The endpoint that was bound is written to ENDPOINT_FILE. /events holds the columns, deflated by HDF5; /raw/frames the
// blocks as they came, each a zstd frame with its checksum, end to end; /raw/offsets where each begins.
#include <hdf5.h>
#include <zstd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "events.hpp"
#include "zmq.hpp"

namespace {

int fail(const char *what) {
  std::fprintf(stderr, "daq_sink: %s\n", what);
  return 1;
}

template <typename Value>
bool write(hid_t group, const char *name, hid_t type, const std::vector<Value> &values, unsigned deflate) {
  const hsize_t size = values.size(), chunk = size < 4096 ? size : 4096;
  const hid_t space = H5Screate_simple(1, &size, nullptr);
  const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
  if (deflate) {
    H5Pset_chunk(layout, 1, &chunk);
    H5Pset_shuffle(layout);
    H5Pset_deflate(layout, deflate);
  }
  const hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, layout, H5P_DEFAULT);
  const bool written = H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0;
  H5Dclose(set);
  H5Pclose(layout);
  H5Sclose(space);
  return written;
}

bool receive(zmq::socket_t &socket, std::vector<Event> &events, std::vector<std::uint8_t> &frames,
             std::vector<std::uint64_t> &offsets) {
  ZSTD_CCtx *compressor = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, 3);
  ZSTD_CCtx_setParameter(compressor, ZSTD_c_checksumFlag, 1);
  zmq::message_t message;
  bool ended = false;
  while (!ended && socket.recv(message)) {
    if ((ended = message.size() == 0)) break;
    const auto *first = message.data<Event>();
    events.insert(events.end(), first, first + message.size() / sizeof(Event));
    std::vector<std::uint8_t> frame(ZSTD_compressBound(message.size()));
    const std::size_t size = ZSTD_compress2(compressor, frame.data(), frame.size(), message.data(), message.size());
    if (ZSTD_isError(size)) break;
    offsets.push_back(frames.size());
    frames.insert(frames.end(), frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
  }
  ZSTD_freeCCtx(compressor);
  return ended;
}

}  // namespace

int main(int count, char **words) {
  if (count != 3) return fail("usage: daq_sink ENDPOINT_FILE OUTPUT");
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::pull);
  socket.set(zmq::sockopt::rcvtimeo, 30000);
  socket.bind("tcp://127.0.0.1:*");
  const std::string part = std::string(words[1]) + ".part";
  std::ofstream(part) << socket.get(zmq::sockopt::last_endpoint) << '\n';
  if (std::rename(part.c_str(), words[1]) != 0) return fail("cannot tell the endpoint");

  std::vector<Event> events;
  std::vector<std::uint8_t> frames;
  std::vector<std::uint64_t> offsets;
  if (!receive(socket, events, frames, offsets)) return fail("the data ended early");

  std::vector<std::uint32_t> numbers;
  std::vector<float> energies;
  std::vector<std::int32_t> photons, electrons;
  for (const Event &event : events) {
    numbers.push_back(event.number);
    energies.push_back(event.energy_keV);
    photons.push_back(event.photons);
    electrons.push_back(event.electrons);
  }
  const hid_t file = H5Fcreate(words[2], H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
  if (file < 0) return fail("cannot create the output");
  const hid_t table = H5Gcreate2(file, "events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t raw = H5Gcreate2(file, "raw", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const bool written = write(table, "number", H5T_NATIVE_UINT32, numbers, 6) &&
                       write(table, "energy_keV", H5T_NATIVE_FLOAT, energies, 6) &&
                       write(table, "photons", H5T_NATIVE_INT32, photons, 6) &&
                       write(table, "electrons", H5T_NATIVE_INT32, electrons, 6) &&
                       write(raw, "frames", H5T_NATIVE_UINT8, frames, 0) &&
                       write(raw, "offsets", H5T_NATIVE_UINT64, offsets, 0);
  H5Gclose(raw);
  H5Gclose(table);
  if (!written || H5Fclose(file) < 0) return fail("cannot write the output");
  std::printf("daq_sink: %zu events in %zu blocks, %zu -> %zu bytes\n", events.size(), offsets.size(),
              events.size() * sizeof(Event), frames.size());
  return 0;
}
