/* The library starts, says its version, and lists devices: none in most containers, which is no error. */
#include <libusb.h>
#include <stdio.h>

int main(void) {
  const struct libusb_version *version = libusb_get_version();
  if (version->major != 1 || version->minor != 0 || version->micro != 26) return 1;
  if (libusb_error_name(LIBUSB_ERROR_NO_DEVICE)[0] != 'L') return 1;
  libusb_context *context = NULL;
  int status = libusb_init(&context);
  if (status == LIBUSB_ERROR_OTHER || status == LIBUSB_ERROR_NOT_SUPPORTED) return 0; /* no netlink, no /dev/bus/usb */
  if (status) return fprintf(stderr, "%s\n", libusb_error_name(status)), 1;
  libusb_device **devices = NULL;
  ssize_t count = libusb_get_device_list(context, &devices);
  if (count >= 0) libusb_free_device_list(devices, 1);
  libusb_exit(context);
  return count < 0 ? 1 : 0;
}
