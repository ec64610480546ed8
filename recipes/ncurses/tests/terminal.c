/* A VT100 has 80 columns, and clears its screen with ESC [ H ESC [ J (DEC VT100 User Guide, chapter 3). */
#include <curses.h>
#include <stdio.h>
#include <string.h>
#include <term.h>

int main(void) {
  int error = 0;
  if (setupterm("vt100", 1, &error) != OK) return fprintf(stderr, "no vt100: %d\n", error), 1;
  char *clear = tigetstr("clear");
  if (tigetnum("cols") != 80) return 1;
  return clear && !strncmp(clear, "\033[H\033[J", 6) ? 0 : 1;
}
