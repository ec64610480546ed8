// Events are ordered by run, subrun and event.
#include <canvas/Persistency/Provenance/EventID.h>

int main() {
  art::EventID first(7, 1, 100), second(7, 2, 1);
  return first < second && first.next().event() == 101 && second.run() == 7 ? 0 : 1;
}
