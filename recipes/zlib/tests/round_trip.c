/* One megabyte of a compressible pattern comes back from deflate as it went in, and smaller. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int main(void)
{
    const uLong size = 1 << 20;
    Bytef *before = malloc(size), *after = malloc(size), *packed = malloc(compressBound(size));
    uLongf packed_size = compressBound(size), after_size = size;
    if (!before || !after || !packed) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    for (uLong i = 0; i < size; i++)
        before[i] = (Bytef)(i % 251 + (i >> 12));
    if (compress2(packed, &packed_size, before, size, 6) != Z_OK) {
        fprintf(stderr, "compress2 failed\n");
        return 1;
    }
    if (uncompress(after, &after_size, packed, packed_size) != Z_OK || after_size != size) {
        fprintf(stderr, "uncompress failed\n");
        return 1;
    }
    if (memcmp(before, after, size) != 0 || packed_size >= size / 2) {
        fprintf(stderr, "wrong bytes, or %lu of %lu bytes left\n", (unsigned long)packed_size, (unsigned long)size);
        return 1;
    }
    if (strcmp(zlibVersion(), ZLIB_VERSION) != 0) {
        fprintf(stderr, "header %s, library %s\n", ZLIB_VERSION, zlibVersion());
        return 1;
    }
    printf("zlib %s: %lu -> %lu bytes\n", zlibVersion(), (unsigned long)size, (unsigned long)packed_size);
    return 0;
}
