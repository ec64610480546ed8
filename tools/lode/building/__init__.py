"""From a locked node to an artifact on disk: builders, seals, the binary cache and the schedule."""
