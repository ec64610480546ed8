/* A waveform-like signal is compressed, is smaller, and comes back byte by byte. */
#include <lz4.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  static char signal[65536], packed[LZ4_COMPRESSBOUND(65536)], back[65536];
  for (int i = 0; i < (int)sizeof signal; ++i) signal[i] = (char)(i % 977 < 40 ? i % 13 : 0);
  int size = LZ4_compress_default(signal, packed, sizeof signal, sizeof packed);
  if (size <= 0 || size > (int)sizeof signal / 4) return fprintf(stderr, "packed to %d bytes\n", size), 1;
  int length = LZ4_decompress_safe(packed, back, size, sizeof back);
  if (length != (int)sizeof signal || memcmp(signal, back, sizeof signal)) return fprintf(stderr, "not the same\n"), 1;
  /* A cut block is refused, not read beyond its end. */
  return LZ4_decompress_safe(packed, back, size - 1, sizeof back) < 0 ? 0 : 1;
}
