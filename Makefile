# `make run` starts the twin, `make test` runs its tests; both first prepare what is missing. Needed: Python 3.11 or newer, and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MODELS := $(VENV)/share/twin/models

# Installs what the file names and nothing else: every file is known by its hash, and no package brings another along
# (one of them would bring torch) or runs code of its own to be built.
INSTALL := $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check --no-deps
PINNED  := $(INSTALL) --require-hashes --only-binary :all:

COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --extra postgres --generate-hashes --no-emit-index-url \
	--no-annotate --quiet --custom-compile-command "make requirements"

.DEFAULT_GOAL := help
.PHONY: help run test setup lint requirements clean

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

run: $(VENV)/.ready ## Start the twin
	@exec $(BIN)/python -m bot run

test: $(VENV)/.ready $(VENV)/.tools ## Run all tests; ARGS="-k words" narrows them
	@$(BIN)/python -m pytest $(ARGS)

setup: $(VENV)/.packages ## Only prepare: afterwards .venv/bin/twin is there
	@$(BIN)/python -m knowledge.minilm $(MODELS)
	@touch $(VENV)/.ready

lint: $(VENV)/.packages $(VENV)/.tools ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

requirements: ## Pin the newest versions that pyproject.toml allows (needs uv)
	@command -v uv >/dev/null || { echo "This needs uv: pip install uv" >&2; exit 2; }
	$(COMPILE) --upgrade --group build --output-file requirements.txt
	$(COMPILE) --upgrade --group build --group dev --constraint requirements.txt --output-file requirements-dev.txt

clean: ## Remove everything that was prepared; the data folder stays
	rm -rf $(VENV) *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		echo "Making $(VENV) with $$("$$python" --version)"; \
		exec "$$python" -m venv --clear $(VENV); \
	done; \
	echo "Twin needs Python 3.11 or newer with its venv module, and found neither as $(PYTHON) nor as python3.11 to python3.13." >&2; \
	echo "Debian and Ubuntu: apt install python3-venv. Elsewhere name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; \
	exit 2

$(VENV)/.packages: $(BIN)/python requirements.txt pyproject.toml
	@echo "Installing the packages of requirements.txt (about 250 MB, once)"
	@$(PINNED) --requirement requirements.txt
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready: $(VENV)/.packages knowledge/minilm.py
	@echo "Preparing the embedding model"
	@$(BIN)/python -m knowledge.minilm $(MODELS)
	@touch $@

$(VENV)/.tools: $(VENV)/.packages requirements-dev.txt
	@echo "Installing what the tests need"
	@$(PINNED) --requirement requirements-dev.txt
	@touch $@
