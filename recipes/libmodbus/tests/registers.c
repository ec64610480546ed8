/* A server and a client on the loopback interface: a register that is written is read back. */
#include <modbus/modbus.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int listening;

static void *serve(void *unused) {
  (void)unused;
  modbus_t *server = modbus_new_tcp("127.0.0.1", 0);
  modbus_mapping_t *map = modbus_mapping_new(0, 0, 10, 0);
  unsigned char query[MODBUS_TCP_MAX_ADU_LENGTH];
  modbus_tcp_accept(server, &listening);
  for (int size; (size = modbus_receive(server, query)) > 0;) modbus_reply(server, query, size, map);
  modbus_mapping_free(map), modbus_free(server);
  return NULL;
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  listening = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listening, (struct sockaddr *)&address, sizeof address) || listen(listening, 1)) return 1;
  getsockname(listening, (struct sockaddr *)&address, &length);
  pthread_t thread;
  pthread_create(&thread, NULL, serve, NULL);
  modbus_t *client = modbus_new_tcp("127.0.0.1", ntohs(address.sin_port));
  uint16_t value = 0;
  if (modbus_connect(client) || modbus_write_register(client, 3, 1500) != 1) return 2;
  if (modbus_read_registers(client, 3, 1, &value) != 1 || value != 1500) return 3;
  modbus_close(client), modbus_free(client);
  pthread_join(thread, NULL);
  return 0;
}
