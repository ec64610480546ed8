"""Sources by hash: origins, the mirror, fetching, safe unpacking and patches."""
