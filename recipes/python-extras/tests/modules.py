"""Each module does its work with the library that it is for."""

import _hashlib
import contextlib
import curses
import hashlib
import readline
import sqlite3
import ssl

# SHA-256 of "abc": FIPS 180-2, appendix B.1.
digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
assert _hashlib.openssl_sha256(b"abc").hexdigest() == digest
assert hashlib.new("sha512_256", b"abc").hexdigest().startswith("53048e2681941ef9")  # FIPS 180-4 examples

incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="example.org")
with contextlib.suppress(ssl.SSLWantReadError):
    client.do_handshake()
assert outgoing.read()[:3] == b"\x16\x03\x01"  # a TLS handshake record, RFC 8446 section 5.1
assert ssl.OPENSSL_VERSION_INFO >= (3, 0), ssl.OPENSSL_VERSION

database = sqlite3.connect(":memory:")
database.execute("create table event(run integer, energy real)")
database.executemany("insert into event values (?, ?)", [(1, 2.5), (2, 41.5), (2, 9.4)])
assert database.execute("select sum(energy) from event where run = 2").fetchone() == (50.9,)

readline.add_history("caget T:V")
assert readline.get_history_item(1) == "caget T:V"

curses.setupterm("vt100", 1)
assert curses.tigetnum("cols") == 80
