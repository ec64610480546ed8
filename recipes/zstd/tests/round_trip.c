/* A block of 16-bit samples survives compression at the level that a DAQ would use, with its checksum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { SAMPLES = 1 << 18 };

int main(void)
{
    static int16_t before[SAMPLES], after[SAMPLES];
    uint32_t state = 12345;
    for (int i = 0; i < SAMPLES; i++) {
        state = state * 1664525u + 1013904223u;
        before[i] = (int16_t)(100 + (state >> 30)); /* a baseline with two bits of noise */
    }
    size_t room = ZSTD_compressBound(sizeof before);
    void *packed = malloc(room);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 3);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t size = ZSTD_compress2(context, packed, room, before, sizeof before);
    if (ZSTD_isError(size)) {
        fprintf(stderr, "compress: %s\n", ZSTD_getErrorName(size));
        return 1;
    }
    size_t back = ZSTD_decompress(after, sizeof after, packed, size);
    if (ZSTD_isError(back) || back != sizeof before || memcmp(before, after, back) != 0) {
        fprintf(stderr, "decompress: wrong bytes\n");
        return 1;
    }
    /* Two bits of entropy in a sample of sixteen: between 1/8 and 1/4 of the size. */
    if (size < sizeof before / 8 || size > sizeof before / 4) {
        fprintf(stderr, "%zu of %zu bytes\n", size, sizeof before);
        return 1;
    }
    ((char *)packed)[size / 2] ^= 1;
    if (!ZSTD_isError(ZSTD_decompress(after, sizeof after, packed, size))) {
        fprintf(stderr, "a flipped bit went unnoticed\n");
        return 1;
    }
    printf("zstd %s: %zu -> %zu bytes\n", ZSTD_versionString(), sizeof before, size);
    ZSTD_freeCCtx(context);
    free(packed);
    return 0;
}
