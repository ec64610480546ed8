// A document is read from memory and its attribute found; one with a missing end is refused.
#include <xercesc/dom/DOM.hpp>
#include <xercesc/framework/MemBufInputSource.hpp>
#include <xercesc/parsers/XercesDOMParser.hpp>
#include <xercesc/sax/HandlerBase.hpp>
#include <xercesc/util/PlatformUtils.hpp>

#include <cstring>

using namespace xercesc;

static bool sound(const char* text) {
  XercesDOMParser parser;
  HandlerBase handler;
  parser.setErrorHandler(&handler);
  MemBufInputSource source(reinterpret_cast<const XMLByte*>(text), std::strlen(text), "memory");
  try {
    parser.parse(source);
  } catch (const SAXParseException&) {
    return false;
  }
  return parser.getErrorCount() == 0 && parser.getDocument()->getDocumentElement()->hasAttributes();
}

int main() {
  XMLPlatformUtils::Initialize();
  bool right = sound("<gdml><solids/></gdml>") == false && sound("<box x='1'/>") && !sound("<box x='1'>");
  XMLPlatformUtils::Terminate();
  return right ? 0 : 1;
}
