#!/bin/sh
# Rendered by lode (form 1) from the lock of dance@2026.11.
# Lock: sha256:bdf57846cdb9902025e4ed73b2bffb528ef44a3f81d80c9a3d516c9503bcb9b1
# Jobs within 4 minutes, 12 GB, 1 cores.
# Change the stack, or call `lode ci render` with other limits; what is written here is lost then.
# publish: publish
set -eu
[ -z "${LODE_SECRETS:-}" ] || { set -a; . "$LODE_SECRETS"; set +a; }
cd "${LODE_REPOSITORY:?names the folder of the repository with the stack}"
./lode --install-deps --version
./lode release dance@2026.11 --target debian12-x86_64 --target el9-x86_64 -j 1 --store-policy trust.yaml --store-built lode-built
[ -z "${LODE_STORE:-}" ] || ./lode store sign dance@2026.11
./lode publish dance@2026.11 --target debian12-x86_64 --target el9-x86_64
