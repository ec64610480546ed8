/* A smooth curve of doubles packs better shuffled than not, with each compressor, and comes back bit by bit. */
#include <blosc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 100000 };

int main(void) {
  static double curve[COUNT], back[COUNT];
  static char packed[COUNT * sizeof(double) + BLOSC_MAX_OVERHEAD];
  const char *names[] = {"blosclz", "lz4", "zlib", "zstd"};
  for (int i = 0; i < COUNT; ++i) curve[i] = floor(1000 * sin(i / 1000.0));
  blosc_init();
  for (int i = 0; i < 4; ++i) {
    if (blosc_set_compressor(names[i]) < 0) return fprintf(stderr, "no %s\n", names[i]), 1;
    int plain = blosc_compress(5, BLOSC_NOSHUFFLE, sizeof(double), sizeof curve, curve, packed, sizeof packed);
    int shuffled = blosc_compress(5, BLOSC_SHUFFLE, sizeof(double), sizeof curve, curve, packed, sizeof packed);
    if (shuffled <= 0 || shuffled >= plain) return fprintf(stderr, "%s: %d %d\n", names[i], plain, shuffled), 1;
    memset(back, 0, sizeof back);
    if (blosc_decompress(packed, back, sizeof back) != sizeof back || memcmp(curve, back, sizeof back)) return 1;
  }
  blosc_destroy();
  return 0;
}
