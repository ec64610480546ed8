/* A chunked, deflated and checksummed dataset comes back, is smaller on disk, and refuses a changed byte. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 1000, SAMPLES = 256 };

static short before[ROWS][SAMPLES], after[ROWS][SAMPLES];

int main(void)
{
    for (int row = 0; row < ROWS; row++)
        for (int sample = 0; sample < SAMPLES; sample++)
            before[row][sample] = (short)((row * 7 + sample * 13) % 97);

    hsize_t shape[] = {ROWS, SAMPLES}, chunk[] = {100, SAMPLES};
    hid_t file = H5Fcreate("data.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(2, shape, NULL);
    hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    if (!H5Zfilter_avail(H5Z_FILTER_DEFLATE) || H5Pset_chunk(layout, 2, chunk) < 0 || H5Pset_shuffle(layout) < 0 ||
        H5Pset_deflate(layout, 6) < 0 || H5Pset_fletcher32(layout) < 0) {
        fprintf(stderr, "a filter is missing\n");
        return 1;
    }
    hid_t set = H5Dcreate2(file, "waveforms", H5T_STD_I16LE, space, H5P_DEFAULT, layout, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_SHORT, H5S_ALL, H5S_ALL, H5P_DEFAULT, before);
    hsize_t stored = H5Dget_storage_size(set);
    H5Dclose(set);
    H5Fclose(file);
    if (stored == 0 || stored >= sizeof before / 2) {
        fprintf(stderr, "%llu of %zu bytes on disk\n", (unsigned long long)stored, sizeof before);
        return 1;
    }

    file = H5Fopen("data.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    set = H5Dopen2(file, "waveforms", H5P_DEFAULT);
    if (H5Dread(set, H5T_NATIVE_SHORT, H5S_ALL, H5S_ALL, H5P_DEFAULT, after) < 0) {
        fprintf(stderr, "cannot read\n");
        return 1;
    }
    H5Dclose(set);
    H5Fclose(file);
    for (int row = 0; row < ROWS; row++)
        for (int sample = 0; sample < SAMPLES; sample++)
            if (before[row][sample] != after[row][sample]) {
                fprintf(stderr, "row %d, sample %d: %d\n", row, sample, after[row][sample]);
                return 1;
            }

    FILE *raw = fopen("data.h5", "r+b");
    fseek(raw, 0, SEEK_END);
    long place = ftell(raw) - (long)stored / 2; /* the chunks lie at the end */
    fseek(raw, place, SEEK_SET);
    int byte = fgetc(raw);
    fseek(raw, place, SEEK_SET);
    fputc(byte ^ 0xff, raw);
    fclose(raw);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    file = H5Fopen("data.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    set = H5Dopen2(file, "waveforms", H5P_DEFAULT);
    if (H5Dread(set, H5T_NATIVE_SHORT, H5S_ALL, H5S_ALL, H5P_DEFAULT, after) >= 0) {
        fprintf(stderr, "a changed byte went unnoticed\n");
        return 1;
    }
    printf("%zu -> %llu bytes\n", sizeof before, (unsigned long long)stored);
    return 0;
}
