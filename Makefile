# Every target makes .venv when it is missing. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo up down test lint format faults bench clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The lock files pin everything with hashes; uv installs them in seconds and is itself a wheel from the same registry.
.venv/uv: 
	@$(PYTHON) -c 'import sys; sys.exit("found Python %d.%d, expected 3.11 or newer: set PYTHON" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@echo 'making .venv with what the lock file pins; the first time this takes half a minute' >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@touch $@

.venv/run: .venv/uv requirements.lock pyproject.toml
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps -e .
	@touch $@

.venv/dev: .venv/uv requirements-dev.lock pyproject.toml
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --require-hashes -r requirements-dev.lock
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps -e .
	@touch $@ .venv/run

demo: .venv/run  ## Set up, play the flows on a sandbox, leave everything running with its addresses
	@$(BIN)/casebridge demo

up: .venv/run  ## Everything on this machine in the foreground, against the sandbox
	@$(BIN)/casebridge up --sandbox

down: .venv/run  ## Stop what runs in this folder
	@$(BIN)/casebridge down

test: lint  ## Set up, lint, types, all tests (8 minutes at most)
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup tests

lint: .venv/dev  ## ruff, mypy strict, import contracts, unused and missing dependencies
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --verbose > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
	@$(BIN)/deptry --no-ansi . 2>&1 | tail -n 1

format: .venv/dev  ## Format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

faults: .venv/dev  ## Mutations of every edge case, each of which must turn its test red (15 minutes at most)
	@$(BIN)/python -m tests.flows.run_mutations --jobs $(WORKERS)

bench: .venv/dev  ## Measure what an event costs (medians of three; a few minutes)
	@$(BIN)/python -m tests.bench

clean:  ## Remove .venv and caches (not .casebridge: `casebridge down --purge`)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
