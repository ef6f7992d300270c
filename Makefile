# Every habit of this repository is a target here; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
BIN := .venv/bin
SETUP := .venv/darkroom.lock

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(SETUP) ## Make .venv (needs only a python3 with venv; brings uv and Python 3.13 if they are missing)

$(SETUP): requirements/dev.txt pyproject.toml scripts/bootstrap.py
	@python3 scripts/bootstrap.py
	@touch $@

.PHONY: lock
lock: ## Resolve the dependencies again and write requirements/*.txt with their hashes
	@bash scripts/lock.sh

.PHONY: lint
lint: $(SETUP) ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: format
format: $(SETUP) ## Format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: demo
demo: $(SETUP) ## Run the whole flow on this machine: real jobs, emulated AWS, simulated GPUs
	@$(BIN)/python -m darkroom_local demo

.PHONY: local
local: $(SETUP) ## Keep the whole flow running until Ctrl-C, to send jobs of your own
	@$(BIN)/python -m darkroom_local up

# The longest first; they wait as much as they work, so that one more than there are cores is at work at a time.
SUITES := test-unit test-integration test-contract test-terraform test-charts lint docs reference-check
ONCE := $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))

.PHONY: deploy
deploy: $(SETUP) ## Build an installation on AWS, step by step (FOLDER=installation, ARGS="--dry-run"); it asks first
	@$(BIN)/python -m darkroom_deploy up --folder $(or $(FOLDER),installation) $(ARGS)

.PHONY: destroy
destroy: $(SETUP) ## Take an installation down, in the order that leaves nothing behind; it asks first
	@$(BIN)/python -m darkroom_deploy destroy --folder $(or $(FOLDER),installation) $(ARGS)

.PHONY: test
test: $(SETUP) ## What every change must pass, suites side by side; CI adds the longer ones below
	@$(MAKE) --no-print-directory --jobs=$(ONCE) --output-sync=target $(SUITES)

.PHONY: test-unit
test-unit: $(SETUP) ## Modules on their own; in CI with the coverage of the packages
	$(BIN)/pytest tests/unit $(if $(CI),--cov --cov-report=term)

.PHONY: test-contract
test-contract: $(SETUP) ## Adapters and simulator against recordings, the AWS stand-in against the emulator
	$(BIN)/pytest tests/contract

.PHONY: test-integration
test-integration: $(SETUP) ## Real processes against emulated AWS, and the commands of the docs
	$(BIN)/pytest tests/integration

.PHONY: test-terraform
test-terraform: $(SETUP) ## Terraform's format, tflint and every module's own tests, without AWS
	$(BIN)/pytest tests/terraform

.PHONY: test-installation
test-installation: $(SETUP) ## Terraform as a whole: the root module's tests, checkov, the flow applied to an emulator
	$(BIN)/pytest tests/installation

.PHONY: test-charts
test-charts: $(SETUP) ## The charts rendered value by value
	$(BIN)/pytest tests/charts --ignore=tests/charts/released

.PHONY: test-releases
test-releases: $(SETUP) ## The charts in a real API server: each object, upgrades and removals, Terraform's outputs put in
	$(BIN)/pytest tests/charts/released

.PHONY: test-page
test-page: $(SETUP) ## The playground in a real browser; its screenshots land in out/page
	$(BIN)/pytest tests/page

.PHONY: test-acceptance
test-acceptance: $(SETUP) ## The product as its users have it: demo, make local, the page on the real flow, the predecessor's formats
	$(BIN)/pytest tests/acceptance

.PHONY: shot
shot: $(SETUP) ## Take the README's picture of the playground anew, from a real run of the flow
	$(BIN)/pytest -q tests/acceptance/test_playground.py
	cp out/page/playground.png docs/images/playground.png

.PHONY: test-faults
test-faults: $(SETUP) ## The predecessor's faults, hostile inputs, limits and fairness
	$(BIN)/pytest tests/faults

.PHONY: images
images: $(SETUP) ## Build the images, with Docker (NAMES="agent simulator" for some)
	@$(BIN)/python -m scripts.images $(NAMES)

.PHONY: test-images
test-images: $(SETUP) ## Build the images on a real engine and try each: user, size, start, stop, secrets
	$(BIN)/pytest tests/images

.PHONY: cluster
cluster: $(SETUP) ## Run a real Kubernetes cluster with KEDA and the charts on this machine, until Ctrl-C (root, Go)
	@$(BIN)/python -m tests.images agent simulator --save out/images
	@$(BIN)/python -m darkroom_local.cluster up --images out/images

.PHONY: cluster-down
cluster-down: $(SETUP) ## End the cluster that `make cluster` runs
	@$(BIN)/python -m darkroom_local.cluster down

.PHONY: test-cluster
test-cluster: $(SETUP) ## The product on a real cluster: KEDA, kubelet, Karpenter; times land in out/cluster (root, Go)
	$(BIN)/python -m tests.cluster

.PHONY: test-deploy
test-deploy: $(SETUP) ## A whole deployment without AWS: emulator, API server, stand-ins; broken off, gone on, taken down (Go)
	$(BIN)/pytest tests/deploy

.PHONY: test-compose
test-compose: $(SETUP) ## Bring docker-compose.yml up, send jobs, kill an agent, take it down
	$(BIN)/pytest tests/compose

.PHONY: lambda
lambda: $(SETUP) ## Build dist/lambda.zip (python3.13, arm64), the same bytes from the same sources
	@$(BIN)/python -m scripts.lambda_zip

.PHONY: release
release: $(SETUP) ## Build a release into dist/: wheel, charts, Lambdas, bills of materials, checksums; the same bytes each time
	@$(BIN)/python -m scripts.release

.PHONY: test-release
test-release: $(SETUP) ## Build a release twice and compare, push its charts, upgrade from the version before
	$(BIN)/pytest tests/release

.PHONY: faults
faults: $(SETUP) ## Kill, stop and restart while jobs flow, then count (N=1000 for the long run, SEED=2 for another)
	$(BIN)/python -m tests.faults --jobs $(or $(N),200) --seed $(or $(SEED),1)

.PHONY: bench
bench: $(SETUP) ## Measure the agent against a serial worker; a table, never a failure
	$(BIN)/python -m tests.bench --long

.PHONY: docs
docs: $(SETUP) ## Build the documentation's site, strictly: out/docs/site/index.html
	@$(BIN)/python -m scripts.docs

.PHONY: docs-serve
docs-serve: $(SETUP) ## Show the site on http://localhost:8000, anew when a page changes
	@$(BIN)/python -m scripts.docs --serve

.PHONY: simulate
simulate: $(SETUP) ## Let days of traffic pass through a model of the scaling: waits and prices for every knob, and the docs' plots
	@$(BIN)/python -m darkroom_simulation --write

.PHONY: reference
reference: $(SETUP) ## Write docs/reference from the code, the charts' tables of values, the diagrams
	$(BIN)/python -m scripts.reference

.PHONY: reference-check
reference-check: $(SETUP) ## Say whether they are up to date
	$(BIN)/python -m scripts.reference --check
