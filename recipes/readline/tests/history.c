/* The history expands !! as the last line, and remembers in order. */
#include <stdio.h>
#include <string.h>

#include <readline/history.h>
#include <readline/readline.h>

int main(void) {
  char *line = NULL;
  using_history();
  add_history("caget T:V");
  add_history("caput T:V 3");
  if (history_length != 2 || strcmp(history_get(history_base)->line, "caget T:V")) return 1;
  if (history_expand("!!", &line) != 1 || strcmp(line, "caput T:V 3")) return fprintf(stderr, "%s\n", line), 1;
  return rl_readline_version >= 0x0802 ? 0 : 1;
}
