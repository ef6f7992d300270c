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
compile --universal pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
# LocalStack's markers for Python 3.14 do not resolve, so its lock is for 3.13 alone; its environment is its own.
compile requirements/localstack.in --output-file requirements/localstack.txt
# checkov's pins fight with everybody's, too.
compile --universal requirements/checkov.in --output-file requirements/checkov.txt
