# Everything runs in .venv at the repository's root. PYTHON picks the interpreter it is made of (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from-pyproject
WORKERS ?= 2
# What test-matrix runs: make test-matrix FOLDERS=tests/engine
FOLDERS ?=
# Which mutants are tried: make mutants MUTANTS="seat-not-compared read-back-skipped"
MUTANTS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run inventory test test-fast test-matrix mutants lint bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with headgate and its development tools; nothing to do while pyproject.toml is unchanged

$(STAMP): pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "headgate needs Python 3.11 or newer, this is $$("$(PYTHON)" --version 2>&1). Name another: make setup PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "this Python can't make virtual environments. Install its venv package (Debian, Ubuntu: apt install python3-venv), or name another: make setup PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: setup ## run the example: a month of a web shop (examples/shop)
	@$(BIN)/python examples/shop/run.py

inventory: setup ## run the other example: the packages of this environment (examples/inventory)
	@$(BIN)/python examples/inventory/run.py

lint: setup ## style, types, and the order of the rooms
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo

test: lint ## lint, then every test
	@$(BIN)/python -m pytest -n $(WORKERS)

test-fast: setup ## the tests that take less than about two seconds each
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

test-matrix: setup ## the tests against the newest DuckDB of each major version; writes docs/compat.md (many minutes)
	@$(BIN)/python -m tests.matrix --workers $(WORKERS) $(FOLDERS)

mutants: setup ## wrong lines in gate and books, each of which a test must notice (minutes)
	@$(BIN)/python -m tests.mutants --workers $(WORKERS) $(MUTANTS)

bench: setup ## the ratios that are promised, measured (minutes)
	@$(BIN)/python -m benchmarks

clean: ## remove everything that was made here
	rm -rf $(VENV) .matrix .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
