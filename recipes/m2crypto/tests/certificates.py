"""Makes a certificate, reads it back, and holds a TLS connection on this machine with it."""

import socket
import threading
import time

from M2Crypto import ASN1, EVP, RSA, SSL, X509, m2

key = EVP.PKey()
key.assign_rsa(RSA.gen_key(2048, 65537, callback=lambda *_: None))
key.save_key("key.pem", cipher=None)
name = X509.X509_Name()
name.C, name.CN = "XX", "daq.example.org"
certificate = X509.X509()
certificate.set_version(2)
certificate.set_serial_number(7)
certificate.set_subject(name)
certificate.set_issuer(name)
certificate.set_pubkey(key)
for moment, place in ((-60, certificate.set_not_before), (3600, certificate.set_not_after)):
    when = ASN1.ASN1_UTCTIME()
    when.set_time(int(time.time()) + moment)
    place(when)
certificate.add_ext(X509.new_extension("basicConstraints", "CA:TRUE", critical=1))
certificate.sign(key, md="sha256")
certificate.save_pem("certificate.pem")

again = X509.load_cert("certificate.pem")
assert again.get_subject().as_text() == "C=XX, CN=daq.example.org", again.get_subject().as_text()
assert again.verify(key) == 1 and again.check_ca() and again.get_serial_number() == 7
other = EVP.PKey()
other.assign_rsa(RSA.gen_key(2048, 65537, callback=lambda *_: None))
assert again.verify(other) != 1

listener = socket.create_server(("127.0.0.1", 0))
own = SSL.Context("tls")
own.load_cert("certificate.pem", "key.pem")


def serve():
    connection = SSL.Connection(own, listener.accept()[0])
    connection.setup_ssl()
    connection.set_accept_state()
    connection.accept_ssl()
    connection.write(b"run 7, " + connection.read(100))
    connection.close()


thread = threading.Thread(target=serve, daemon=True)
thread.start()
context = SSL.Context("tls")
context.set_verify(SSL.verify_peer, depth=1)
assert context.load_verify_locations("certificate.pem") == 1
client = SSL.Connection(context)
client.set_post_connection_check_callback(None)
client.connect(listener.getsockname())
client.write(b"event 9")
assert client.read(100) == b"run 7, event 9"
assert client.get_peer_cert().as_der() == again.as_der() and client.get_version().startswith("TLSv1.")
client.close()
thread.join(30)
assert m2.OPENSSL_VERSION_NUMBER >= 0x30000000
