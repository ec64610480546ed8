/* The library says its version; without the kernel's driver opening a board fails for that reason. */
#include <gpib/ib.h>
#include <string.h>

int main(void) {
  char *version = NULL;
  ibvers(&version);
  return version && !strncmp(version, "4.3", 3) ? 0 : 1;
}
