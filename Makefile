# Every target sets up .venv by itself; `make` alone tells what there is.

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.setup-stamp
PROJECTS := $(wildcard core/pyproject.toml plugins/*/pyproject.toml frontends/*/pyproject.toml)
# The workspace's own distributions are installed from the tree, never from the lock.
OWN := $(shell sed -n 's/^name = "\(.*\)"/--no-emit-package \1/p' $(PROJECTS))
ARGS ?=
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS ?= true
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint check bench docs lock format clean

help: ## tell what there is
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml $(PROJECTS) scripts/setup
	@echo "setting up $(VENV) ..."
	@scripts/setup
	@touch $@

demo: $(STAMP) ## start one simulated cloud of each platform and list them all (ARGS=...)
	@$(BIN)/anabranch demo $(ARGS)

test: $(STAMP) ## run the tests (ARGS="-k fanout", ARGS="-n 2")
	$(BIN)/pytest $(ARGS)

lint: $(STAMP) ## format check, ruff, mypy, pyright, import rules
	@failed=; \
	for check in "ruff format --check ." "ruff check ." mypy pyright lint-imports; do \
		echo "== $$check"; $(BIN)/$$check || failed="$$failed [$$check]"; \
	done; \
	[ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }

check: lint test ## everything that must pass before a commit lands: lint, then test

bench: $(STAMP) ## measure (ARGS=...)
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(STAMP) ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lock: $(STAMP) ## make requirements.lock anew, keeping versions that still fit (ARGS=--upgrade)
	env -u UV_FIND_LINKS $(BIN)/uv --no-config pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate $(OWN) \
		--all-extras --group dev pyproject.toml $(PROJECTS) -o requirements.lock $(ARGS)

format: $(STAMP) ## format, and fix what ruff can fix
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

clean: ## remove what the targets made, but .venv
	rm -rf site dist .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find core plugins frontends tests benchmarks examples docs -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
