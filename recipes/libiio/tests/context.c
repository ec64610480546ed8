/* The library says its version and its ways to devices, and gives a context of this machine, empty without devices. */
#include <errno.h>
#include <iio.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  unsigned int major, minor;
  char tag[8];
  iio_library_get_version(&major, &minor, tag);
  if (major != 0 || minor != 26 || !iio_has_backend("local") || iio_has_backend("usb")) return 1;
  struct iio_context *context = iio_create_local_context();
  if (!context) return errno == ENOENT || errno == ENODEV ? 0 : (perror("context"), 1); /* a kernel without IIO */
  int local = !strcmp(iio_context_get_name(context), "local");
  iio_context_destroy(context);
  return local ? 0 : 1;
}
