"""OCI images: written as layouts without a daemon, pushed to and pulled from registries, checked by inventory."""
