# What a person types. Everything that these targets need is brought by tools/bootstrap.sh.
# Paths stay relative: the folder may have a space in its name.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
PYTHON := .venv/bin/python
ARGS ?=

.PHONY: help demo serve test test-sqlite test-postgres interop fuzz bench mutations dist check format openapi \
	screenshots setup setup-front setup-dev browser lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

# Devices come through a TLS front: ARGS="--enroll" brings nginx besides.
demo: $(if $(findstring --enroll,$(ARGS)),setup-front,setup) ## Run certctl with sample data, embedded: no other service needed
	@exec $(PYTHON) manage.py demo $(ARGS)

serve: setup ## Run certctl with your own data, embedded: no other service needed
	@exec $(PYTHON) manage.py serve $(ARGS)

test: setup-dev ## Run all tests on SQLite, then on PostgreSQL; ARGS= goes to pytest
	@exec $(PYTHON) -m tools.run_tests sqlite postgres -- $(ARGS)

test-sqlite: setup-dev ## Run all tests on SQLite
	@exec $(PYTHON) -m tools.run_tests sqlite -- $(ARGS)

test-postgres: setup-dev ## Run all tests on PostgreSQL
	@exec $(PYTHON) -m tools.run_tests postgres -- $(ARGS)

interop: setup-dev ## Drive clients of others against a running server; as root on Debian 12
	@exec $(PYTHON) -m tools.interop $(ARGS)

fuzz: setup-dev ## Fuzz the reader of OCSP requests, guided by coverage; needs atheris
	@exec $(PYTHON) -m tools.fuzz $(ARGS)

bench: setup-dev ## Measure the hot paths over HTTP, with anchors of the same run
	@exec $(PYTHON) -m benchmarks $(ARGS)

mutations: setup-dev ## Take out each lock, fence, permission and bound, and see a test fail; ARGS="--only 'jobs.*'"
	@exec $(PYTHON) -m tools.mutations $(ARGS)

dist: setup-dev ## Build the wheels of the clients into var/dist
	@cd clients/certctl_cli && exec ../../$(PYTHON) -m hatchling build -t wheel -d ../../var/dist

check: setup-dev ## Lint, types, import contracts, migrations, settings, OpenAPI
	@exec tools/check.sh

format: setup-dev ## Format the code and apply ruff's safe fixes
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

openapi: setup-dev ## Write docs/openapi.yaml from the code
	@export SECRET_KEY=unused && \
		export CERTCTL_KEY_ENCRYPTION_KEYS=$$($(PYTHON) manage.py generate_key) && \
		$(PYTHON) manage.py spectacular --file docs/openapi.yaml

screenshots: setup-dev browser ## Take the pictures for the documentation
	@exec $(PYTHON) -m tools.screenshots $(ARGS)

setup: ## Bring what running certctl needs into .venv
	@tools/bootstrap.sh runtime

setup-front: ## Bring that, and nginx for the demo's TLS front
	@tools/bootstrap.sh front

setup-dev: ## Bring what developing certctl needs into .venv
	@tools/bootstrap.sh dev

browser: setup-dev ## Bring Chromium for the browser tests, where the machine has none
	@exec $(PYTHON) -m tools.browser

lock: setup-dev ## Resolve pyproject.toml into requirements/*.txt; ARGS=--upgrade for newer
	@exec tools/lock.sh $(ARGS)

clean: ## Remove what was built: .venv, caches and tools, but no data
	@rm -rf .venv var/tools var/static .mypy_cache .ruff_cache .pytest_cache .import_linter_cache \
		.hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
