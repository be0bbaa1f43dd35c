# `make` shows what there is. Everything is set up by itself, in .venv, the first time it is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXPERIMENT ?= experiments/summarization.yaml
PORT ?= 8123
DATA_DIR ?= .local
SOURCES := gemini_sft launcher vertex_emulator components pipelines tests benchmarks compile.py

.PHONY: help
help:  ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: run
run: $(VENV)/installed  ## Tune, evaluate and compare on this machine: EXPERIMENT=experiments/summarization.yaml
	@$(BIN)/gemini-sft run $(EXPERIMENT)

.PHONY: emulator
emulator: $(VENV)/installed  ## Serve the Vertex AI emulator until Ctrl-C: PORT=8123 DATA_DIR=.local
	@exec $(BIN)/gemini-sft emulator --port $(PORT) --data-dir $(DATA_DIR)

.PHONY: compile
compile: $(VENV)/installed  ## Compile the pipelines to build/
	@$(BIN)/python compile.py

.PHONY: test
test: lint  ## Lint, check types and run every test
	$(BIN)/pytest --cov --cov-report=term:skip-covered

.PHONY: test-unit
test-unit: $(VENV)/installed-dev  ## Run the fast tests only
	$(BIN)/pytest tests/unit

.PHONY: lint
lint: $(VENV)/installed-dev  ## Check style and types
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy

.PHONY: format
format: $(VENV)/installed-dev  ## Put the source into its standard form
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

.PHONY: requirements
requirements: $(VENV)/installed-dev  ## Pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --upgrade $(PIN) -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra dev -c requirements.txt $(PIN) -o requirements-dev.txt
	$(BIN)/uv pip compile --group image -c requirements.txt $(PIN) -o requirements-image.txt
	grep -o '^kfp==[^ ]*' requirements.txt | $(BIN)/uv pip compile - --no-deps $(PIN) >> requirements-image.txt
PIN := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

.PHONY: image
image:  ## Build and push what components run in: IMAGE=REGION-docker.pkg.dev/PROJECT/REPOSITORY/gemini-sft-python
	@./build-image.sh "$(IMAGE)"

.PHONY: clean
clean:  ## Delete what runs have left: .local/, build/ and caches
	rm -rf .local build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

$(VENV)/installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-dev.txt
	@touch $@
