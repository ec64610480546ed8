// A waveform comes back byte by byte, and a cut one is refused.
#include <snappy.h>

#include <string>

int main() {
  std::string signal, packed, back;
  for (int i = 0; i < 65536; ++i) signal += static_cast<char>(i % 977 < 40 ? i % 13 : 0);
  snappy::Compress(signal.data(), signal.size(), &packed);
  if (packed.size() > signal.size() / 4) return 1;
  if (!snappy::Uncompress(packed.data(), packed.size(), &back) || back != signal) return 2;
  return snappy::Uncompress(packed.data(), packed.size() / 2, &back) ? 3 : 0;
}
