/* A table of events is appended to and read back field by field. */
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stddef.h>
#include <stdio.h>

typedef struct {
    long long number;
    double energy_keV;
} Event;

int main(void)
{
    const char *names[] = {"number", "energy_keV"};
    const size_t offsets[] = {offsetof(Event, number), offsetof(Event, energy_keV)};
    const size_t sizes[] = {sizeof(long long), sizeof(double)};
    const hid_t types[] = {H5T_NATIVE_LLONG, H5T_NATIVE_DOUBLE};
    Event first[] = {{1, 10.0}, {2, 41.5}}, second[] = {{3, 122.0}}, all[3];
    hsize_t fields, records;

    hid_t file = H5Fcreate("table.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5TBmake_table("events", file, "events", 2, 2, sizeof(Event), names, offsets, types, 16, NULL, 1, first);
    H5TBappend_records(file, "events", 1, sizeof(Event), offsets, sizes, second);
    H5TBget_table_info(file, "events", &fields, &records);
    H5TBread_table(file, "events", sizeof(Event), offsets, sizes, all);
    H5Fclose(file);
    if (fields != 2 || records != 3 || all[2].number != 3 || all[1].energy_keV != 41.5) {
        fprintf(stderr, "%llu records, the last is %lld\n", (unsigned long long)records, all[2].number);
        return 1;
    }
    return 0;
}
