/* The checksum of "abc": FIPS 180-2, appendix B.1. */
#include <glib.h>
#include <string.h>

int main(void) {
  char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "abc", 3);
  int same = !strcmp(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  g_free(sum);
  return same ? 0 : 1;
}
