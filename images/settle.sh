#!/bin/sh
# Make what lies below /layer the same at every build of the same sources, whoever builds them and when.
#
# Bytecode as in system.sh, modes that do not come from a checkout's umask, one time for all files. `COPY /layer /` keeps
# these times; to copy one folder would give it the time of the build.
set -eu

PYTHONHASHSEED=0 python -m compileall -q -s /layer -p / --invalidation-mode unchecked-hash /layer
chmod -R u=rwX,go=rX /layer
find /layer -exec touch --no-dereference --date=@315532800 {} +
