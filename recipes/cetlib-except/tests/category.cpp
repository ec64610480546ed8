// An exception is caught with its category and what led to it.
#include <cetlib_except/exception.h>

int main() {
  try {
    throw cet::exception("Readout") << "board " << 7 << " is silent";
  } catch (const cet::exception& error) {
    return error.category() == "Readout" && error.explain_self().find("board 7") != std::string::npos ? 0 : 1;
  }
  return 2;
}
