// The boards with a voltage above 1000 are found by XPath.
#include <pugixml.hpp>

int main() {
  pugi::xml_document crate;
  if (!crate.load_string("<crate><board hv='1500'/><board hv='900'/></crate>")) return 1;
  return crate.select_nodes("//board[@hv > 1000]").size() == 1 && !crate.load_string("<crate>") ? 0 : 2;
}
