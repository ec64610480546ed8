"""Statements, the envelopes they are sealed in, and the keys that seal them.

The forms are those of others: in-toto Statement v1 (in-toto.io), DSSE 1.0 (secure-systems-lab/dsse), cosign's key
files, signatures and attestations, and sigstore's bundle v0.3.
All here are functions of values: who calls reads the files.
"""
