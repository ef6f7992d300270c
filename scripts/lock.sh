#!/usr/bin/env bash
# Write requirements/*.txt: every dependency, with the hashes of all its files, for every platform.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(python3 scripts/bootstrap.py --print-uv)
compile() {
  "$uv" pip compile --quiet --generate-hashes --python-version 3.13 --no-header --no-annotate "$@"
}
compile --universal requirements/bootstrap.in --output-file requirements/bootstrap.txt
for extra in agent api cli simulator snapshot; do
  compile --universal pyproject.toml --extra "$extra" --output-file "requirements/$extra.txt"
done
# What docker-compose.yml has around agents and runtimes is one image.
compile --universal pyproject.toml --extra local --extra api --output-file requirements/local.txt
# Who builds the site and nothing else needs no more than this.
compile --universal --group docs --output-file requirements/docs.txt
compile --universal pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
# The runtimes' images are for one platform. Torch is locked apart, too: it is a layer of its own.
runtime() {
  linux=(--python-platform x86_64-manylinux_2_28)
  python=(--python-version "$2")
  "$uv" pip compile --quiet --generate-hashes --no-header --no-annotate "${linux[@]}" "${python[@]}" \
    "requirements/$1-torch.in" "requirements/$1.in" --output-file "requirements/$1.txt"
  "$uv" pip compile --quiet --generate-hashes --no-header --no-annotate "${linux[@]}" "${python[@]}" \
    "requirements/$1-torch.in" --constraints "requirements/$1.txt" --output-file "requirements/$1-torch.txt"
}
runtime comfyui 3.13
runtime sdwebui 3.10
runtime forge 3.10
# LocalStack's markers for Python 3.14 do not resolve, so its lock is for 3.13 alone; its environment is its own.
compile requirements/localstack.in --output-file requirements/localstack.txt
compile --universal requirements/image-tools.in --output-file requirements/image-tools.txt
# checkov's pins fight with everybody's, too.
compile --universal requirements/checkov.in --output-file requirements/checkov.txt
