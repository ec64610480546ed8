/* A block comes back as it went in, and a flipped bit is noticed by its CRC64. */
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 300000 };

int main(void)
{
    static uint8_t before[SIZE], packed[2 * SIZE], after[SIZE];
    size_t packed_size = 0, in = 0, out = 0;
    uint64_t memory = UINT64_MAX;
    for (int i = 0; i < SIZE; i++)
        before[i] = (uint8_t)(i % 253);
    if (lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, before, SIZE, packed, &packed_size, sizeof packed) !=
        LZMA_OK) {
        fprintf(stderr, "encode failed\n");
        return 1;
    }
    if (lzma_stream_buffer_decode(&memory, 0, NULL, packed, &in, packed_size, after, &out, SIZE) != LZMA_OK ||
        out != SIZE || memcmp(before, after, SIZE) != 0) {
        fprintf(stderr, "decode: wrong bytes\n");
        return 1;
    }
    packed[packed_size / 2] ^= 1;
    in = out = 0;
    if (lzma_stream_buffer_decode(&memory, 0, NULL, packed, &in, packed_size, after, &out, SIZE) == LZMA_OK) {
        fprintf(stderr, "a flipped bit went unnoticed\n");
        return 1;
    }
    printf("liblzma %s: %d -> %zu bytes\n", lzma_version_string(), SIZE, packed_size);
    return 0;
}
