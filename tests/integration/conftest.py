"""The container engine and the registry of the tests' own, one of each for all modules."""

from tests.integration.engines import engine, registry

__all__ = ["engine", "registry"]
