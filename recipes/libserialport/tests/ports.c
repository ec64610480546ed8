/* A port that does not exist is refused; the list of ports may be empty. */
#include <libserialport.h>

int main(void) {
  struct sp_port *port = NULL, **ports = NULL;
  if (sp_get_port_by_name("/dev/none", &port) == SP_OK && sp_open(port, SP_MODE_READ) == SP_OK) return 1;
  if (sp_list_ports(&ports) != SP_OK) return 2;
  sp_free_port_list(ports);
  return sp_get_major_package_version() == 0 ? 0 : 3;
}
