# Two commands do everything: `make demo` and `make test`.  `make help` lists the rest.
# The environment is .venv, made from the lock files (names, versions, hashes); a stamp remembers it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test install check bounds validate bench bench-peers secrets lock clean

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
ARGS ?=

# The first Python >= 3.11 that can make an environment; the lock files are resolved for 3.11.
FIND_PYTHON = for p in $(PYTHON) python3.11 /usr/bin/python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; p=; done; \
	[ -n "$$p" ] || { echo 'No Python >= 3.11 with venv was found: apt-get install python3.11-venv, or make PYTHON=...' >&2; exit 1; }

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/runtime.stamp ## everything at once on this machine; prints the page's address (ARGS="--speed 5")
	@$(BIN)/gaitmon demo $(ARGS)

test: install ## all tests; installs what they need (ARGS="-k pelvis")
	@sh tests/install_servers.sh
	@$(BIN)/python -m pytest $(ARGS)

install: .venv/dev.stamp ## make or renew .venv, with everything that tests and checks need

check: install ## lint, format and types, and what has grown long or old
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.long_code
	@$(BIN)/python -m tests.validation --age

bounds: install ## the core's tests with every index in a compiled loop checked (docs/adr/0019)
	@NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=.cache/bounds $(BIN)/python -m pytest tests/test_bad_input.py tests/test_live_is_batch.py tests/gait tests/symmetry tests/imu

validate: install ## measure against the recordings of GAITMON_DATA and write docs/validation.md
	@$(BIN)/python -m tests.validation

bench: install ## every benchmark: tests/bench_*.py, but for the peers and the soak of hours
	@set -e; for b in $(filter-out tests/bench_peers.py tests/bench_soak.py,$(sort $(wildcard tests/bench_*.py))); do b=$${b##*/}; echo "== $${b%.py}"; $(BIN)/python -m tests.$${b%.py}; done

bench-peers: install ## beside mobgap and skdh on the same recordings; installs them under .cache/peers
	@$(BIN)/python -m tests.bench_peers

secrets: ## random passwords for docker compose, made once
	@sh dashboards/secrets.sh

lock: ## resolve pyproject.toml anew into the two lock files
	@$(FIND_PYTHON); $$p -m venv --clear build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check --no-input --quiet install pip-tools
	@$(LOCK) --extra demo --output-file requirements.lock pyproject.toml
	@$(LOCK) --output-file requirements-dev.lock --extra dev --extra demo --constraint requirements.lock pyproject.toml

LOCK = CUSTOM_COMPILE_COMMAND='make lock' build/lock/bin/pip-compile --quiet --upgrade --generate-hashes \
	--strip-extras --allow-unsafe --build-deps-for editable \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

clean: ## remove the environment and everything that was made
	rm -rf .venv build dist *.egg-info .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Renewed when a lock or pyproject.toml changes.  An environment whose Python is gone is made anew.
.venv/runtime.stamp: requirements.lock pyproject.toml
	@$(BIN)/python -c '' 2>/dev/null || { echo 'making .venv ...'; $(FIND_PYTHON); $$p -m venv --clear .venv; }
	@echo 'installing what gaitmon needs ...'
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@echo 'translating loops for this machine ...'
	@$(BIN)/python -m gaitmon.cli_translate
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements-dev.lock
	@echo 'installing what tests and checks need ...'
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@
