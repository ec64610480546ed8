/* SHA-256 of "abc": FIPS 180-2, appendix B.1. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  static const char expected[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  char text[2 * EVP_MAX_MD_SIZE + 1];
  if (!EVP_Digest("abc", 3, digest, &size, EVP_sha256(), NULL) || size != 32) return 1;
  for (unsigned int i = 0; i < size; ++i) sprintf(text + 2 * i, "%02x", digest[i]);
  return strcmp(text, expected) ? (fprintf(stderr, "%s\n", text), 1) : 0;
}
