"""Lode: reproducible builds and software distribution for dark-matter and neutrino experiments."""

__version__ = "0.1.0"
