#!/bin/sh
# Starts the WebUI's API without its page; it waits for nothing and fetches nothing. Arguments go to the WebUI, which reads
# COMMANDLINE_ARGS itself; `--cpu` stands for what it takes to start without a GPU.
set -eu
# The mark that asked for this start has had its effect.
rm -f "$RUNTIME_MARK_FILE"
mkdir -p "$DATA"
# It looks for extensions where its data are.
ln -sfn /app/extensions "$DATA/extensions"
# Nobody sees previews here, but the WebUI would decode one on the GPU for each question after its progress.
[ -e "$DATA/config.json" ] || echo '{"live_previews_enable": false}' >"$DATA/config.json"
# What AUTOMATIC1111's WebUI would ask Hugging Face for while it loads a checkpoint: docs/how-to/images.md.
if [ -z "${HF_HOME:-}" ] && [ -d /models/huggingface ]; then
  export HF_HOME=/models/huggingface
fi
if [ "${1:-}" = --cpu ]; then
  shift
  case "$FLAVOUR" in
    forge) set -- --always-cpu --skip-torch-cuda-test "$@" ;;
    *) set -- --use-cpu all --no-half --skip-torch-cuda-test "$@" ;;
  esac
fi
# The WebUI makes some of these folders where they are missing, and dies where it may not: a bucket need not have them all.
models() {
  if [ -d "/models/$1" ]; then
    echo "/models/$1"
  else
    mkdir -p "$DATA/models/$1"
    echo "$DATA/models/$1"
  fi
}
cd /app
exec python launch.py --skip-prepare-environment --skip-version-check --skip-python-version-check \
  --api --nowebui --listen --port 7860 --data-dir "$DATA" --ckpt-dir "$(models checkpoints)" --vae-dir "$(models vae)" \
  --lora-dir "$(models loras)" --embeddings-dir "$(models embeddings)" --hypernetwork-dir "$(models hypernetworks)" \
  --esrgan-models-path "$(models upscale_models)" --no-download-sd-model --do-not-download-clip \
  --disable-console-progressbars "$@"
