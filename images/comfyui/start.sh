#!/bin/sh
# Starts ComfyUI; it waits for nothing and fetches nothing. Arguments go to ComfyUI, before them those of COMMANDLINE_ARGS.
set -eu
# The mark that asked for this start has had its effect.
rm -f "$RUNTIME_MARK_FILE"
mkdir -p "$DATA/input" "$DATA/output" "$DATA/user"
# shellcheck disable=SC2086 # words, as they are written
exec python /app/main.py --listen 0.0.0.0 --port 8188 --disable-auto-launch --disable-api-nodes \
  --extra-model-paths-config /etc/darkroom/models.yaml --input-directory "$DATA/input" --output-directory "$DATA/output" \
  --temp-directory "$DATA" --user-directory "$DATA/user" --database-url "sqlite:///$DATA/comfyui.db" ${COMMANDLINE_ARGS:-} "$@"
