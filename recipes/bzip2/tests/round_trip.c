/* A block comes back as it went in, and a flipped bit is noticed. */
#include <bzlib.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 300000 };

int main(void)
{
    static char before[SIZE], packed[SIZE + SIZE / 100 + 600], after[SIZE];
    unsigned packed_size = sizeof packed, after_size = sizeof after;
    for (int i = 0; i < SIZE; i++)
        before[i] = (char)(i % 253);
    if (BZ2_bzBuffToBuffCompress(packed, &packed_size, before, sizeof before, 9, 0, 0) != BZ_OK) {
        fprintf(stderr, "compress failed\n");
        return 1;
    }
    if (BZ2_bzBuffToBuffDecompress(after, &after_size, packed, packed_size, 0, 0) != BZ_OK ||
        after_size != sizeof before || memcmp(before, after, sizeof before) != 0) {
        fprintf(stderr, "decompress: wrong bytes\n");
        return 1;
    }
    packed[packed_size / 2] ^= 1;
    after_size = sizeof after;
    if (BZ2_bzBuffToBuffDecompress(after, &after_size, packed, packed_size, 0, 0) == BZ_OK) {
        fprintf(stderr, "a flipped bit went unnoticed\n");
        return 1;
    }
    printf("bzip2 %s: %d -> %u bytes\n", BZ2_bzlibVersion(), SIZE, packed_size);
    return 0;
}
