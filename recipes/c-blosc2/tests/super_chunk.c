/* Chunks appended to a frame are small, and come back the same with each compressor. */
#include <blosc2.h>
#include <stdlib.h>

#define SAMPLES 20000
#define CHUNKS 3

static int32_t pulses[SAMPLES], back[SAMPLES];

static void require(int holds) {
  if (!holds) abort();
}

int main(void) {
  const int codecs[] = {BLOSC_BLOSCLZ, BLOSC_LZ4, BLOSC_ZLIB, BLOSC_ZSTD};
  blosc2_init();
  for (unsigned codec = 0; codec < 4; ++codec) {
    blosc2_cparams how = BLOSC2_CPARAMS_DEFAULTS;
    how.typesize = sizeof(int32_t);
    how.compcode = (uint8_t)codecs[codec];
    blosc2_storage storage = BLOSC2_STORAGE_DEFAULTS;
    storage.cparams = &how;
    storage.contiguous = true;
    blosc2_schunk* chunks = blosc2_schunk_new(&storage);
    for (int chunk = 0; chunk < CHUNKS; ++chunk) {
      for (int i = 0; i < SAMPLES; ++i) pulses[i] = chunk + i / 100;
      require(blosc2_schunk_append_buffer(chunks, pulses, sizeof pulses) == chunk + 1);
    }
    require(chunks->nbytes == CHUNKS * (int64_t)sizeof pulses && chunks->cbytes * 10 < chunks->nbytes);
    for (int chunk = CHUNKS - 1; chunk >= 0; --chunk) {
      require(blosc2_schunk_decompress_chunk(chunks, chunk, back, sizeof back) == (int)sizeof back);
      for (int i = 0; i < SAMPLES; ++i) require(back[i] == chunk + i / 100);
    }
    blosc2_schunk_free(chunks);
  }
  blosc2_destroy();
}
