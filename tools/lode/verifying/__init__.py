"""Deciding whether something is what was signed, by those who may: functions of values, which fail closed.

Nothing here reads a file, a clock or a network. Whoever calls has hashed the bytes, and gives digests, envelopes, the
policy and the day; the answer is an acceptance, or an error that says why not.
"""
