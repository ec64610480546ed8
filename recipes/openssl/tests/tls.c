/* A client and a server in memory: without a certificate the handshake fails for exactly that reason. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

int main(void) {
  SSL_CTX *ours = SSL_CTX_new(TLS_client_method()), *theirs = SSL_CTX_new(TLS_server_method());
  if (!ours || !theirs) return fprintf(stderr, "no context\n"), 1;
  SSL *client = SSL_new(ours), *server = SSL_new(theirs);
  BIO *one, *other;
  if (!BIO_new_bio_pair(&one, 0, &other, 0)) return 1;
  SSL_set_bio(client, one, one);
  SSL_set_bio(server, other, other);
  SSL_set_connect_state(client);
  SSL_set_accept_state(server);
  if (SSL_do_handshake(client) > 0 || SSL_get_error(client, -1) != SSL_ERROR_WANT_READ) return 1;
  SSL_do_handshake(server);
  int reason = ERR_GET_REASON(ERR_peek_last_error());
  if (reason != SSL_R_NO_SHARED_CIPHER && reason != SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM)
    return fprintf(stderr, "%s\n", ERR_reason_error_string(ERR_peek_last_error())), 1;
  SSL_free(client), SSL_free(server), SSL_CTX_free(ours), SSL_CTX_free(theirs);
  return 0;
}
