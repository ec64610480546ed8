/* The identifier of www.example.com in the DNS name space, version 5: RFC 9562, appendix A.4. */
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

int main(void) {
  uuid_t dns, named;
  char text[37];
  uuid_parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8", dns);
  uuid_generate_sha1(named, dns, "www.example.com", 15);
  uuid_unparse_lower(named, text);
  return strcmp(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2") ? (fprintf(stderr, "%s\n", text), 1) : 0;
}
