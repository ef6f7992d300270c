#!/bin/sh
# Lay out below /layer what an image has of its base: the same bytes at every build of the same base.
#
# Taken into an empty image, so that what goes is gone: a layer on top of the base would still ship pip, and mark its
# removal with the time of the build. Packages are complete; nothing in a running image installs another. Bytecode of the
# standard library comes with it, for a read-only image would compile at every start: it depends on the sources alone (PEP
# 552), and is written by one process without a random seed, since its references depend on both.
set -eu

cd /usr/local
rm -rf bin/pip* lib/python3*/site-packages/pip* lib/python3*/ensurepip
PYTHONHASHSEED=0 python -m compileall -q --invalidation-mode unchecked-hash lib/python3*

# An engine mounts its own files over these while an image is built, and leaves empty ones of that time.
mkdir /layer
tar --directory / --create --sort=name --mtime=@315532800 --numeric-owner \
    --exclude=./layer --exclude=./system.sh --exclude=./proc/* --exclude=./sys/* --exclude=./dev/* \
    --exclude=./run/* --exclude=./tmp/* --exclude=./etc/hosts --exclude=./etc/hostname --exclude=./etc/resolv.conf . |
    tar --directory /layer --extract --preserve-permissions --numeric-owner
