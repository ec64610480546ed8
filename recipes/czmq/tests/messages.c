/* An actor doubles what it is sent; the message of two frames keeps its order. */
#include <czmq.h>

static void doubler(zsock_t *pipe, void *unused) {
  (void)unused;
  zsock_signal(pipe, 0);
  for (;;) {
    zmsg_t *message = zmsg_recv(pipe);
    if (!message) return;
    char *command = zmsg_popstr(message), *number = zmsg_popstr(message);
    zmsg_destroy(&message);
    int stop = streq(command, "$TERM");
    if (!stop) zstr_sendf(pipe, "%d", 2 * atoi(number));
    free(command), free(number);
    if (stop) return;
  }
}

int main(void) {
  zactor_t *actor = zactor_new(doubler, NULL);
  zstr_sendx(actor, "double", "21", NULL);
  char *answer = zstr_recv(actor);
  int right = answer && streq(answer, "42");
  zstr_free(&answer);
  zactor_destroy(&actor);
  return right ? 0 : 1;
}
