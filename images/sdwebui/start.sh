#!/bin/sh
# Starts the WebUI's API without its page; it waits for nothing and fetches nothing. Arguments go to the WebUI, which reads
# COMMANDLINE_ARGS itself; `--cpu` stands for what it takes to start without a GPU.
set -eu
# The mark that asked for this start has had its effect.
rm -f "$RUNTIME_MARK_FILE"
mkdir -p "$DATA"
# It looks for extensions where its data are.
ln -sfn /app/extensions "$DATA/extensions"
if [ "${1:-}" = --cpu ]; then
  shift
  case "$FLAVOUR" in
    forge) set -- --always-cpu --skip-torch-cuda-test "$@" ;;
    *) set -- --use-cpu all --no-half --skip-torch-cuda-test "$@" ;;
  esac
fi
cd /app
exec python launch.py --skip-prepare-environment --skip-version-check --skip-python-version-check \
  --api --nowebui --listen --port 7860 --data-dir "$DATA" --ckpt-dir /models/checkpoints --vae-dir /models/vae \
  --lora-dir /models/loras --embeddings-dir /models/embeddings --hypernetwork-dir /models/hypernetworks \
  --esrgan-models-path /models/upscale_models --no-download-sd-model --do-not-download-clip \
  --disable-console-progressbars "$@"
