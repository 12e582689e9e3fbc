.DEFAULT_GOAL := help
.PHONY: help install install-dev run demo sms test check bench clean

PYTHON ?= python3
BIN := .venv/bin
# Two installs in one second would be two stamps: each environment is rebuilt when its list changes.
LOCAL := .venv/local.stamp
DEV := .venv/dev.stamp
ENGINE := .venv-engine/engine.stamp
# Modules are compiled when they are first imported: most of what is installed never is.
PIP := -m pip install --quiet --disable-pip-version-check --no-input --no-compile
SIDE_BY_SIDE := $(MAKE) --silent --no-print-directory --jobs=2

help:  ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install:  ## Install what the local run needs
	@$(SIDE_BY_SIDE) $(LOCAL) $(ENGINE)

install-dev:
	@$(SIDE_BY_SIDE) $(DEV) $(ENGINE)

run: install  ## Run the whole platform on this machine (PORT=8000, SESAME_HOME=.sesame)
	@exec $(BIN)/python -m local.run

demo: install  ## Show the whole loop, on a fresh stack, then stop
	@$(BIN)/python -m local.demo

sms: install  ## Have the simulator send an SMS to the running stack: TO=+1… TEXT='Your code is 123456'
	@$(BIN)/python -m local.sms

test: install-dev  ## Run all tests
	@$(BIN)/python -m pytest -n 3 --dist loadfile

check: install-dev  ## Lint, types, layers: what CI does beside the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.module_length

bench: install-dev  ## Measure: what each call costs in round trips and time
	@$(BIN)/python -m bench

clean:  ## Remove the environments and caches (not .sesame, the local data)
	rm -rf .venv .venv-engine .mypy_cache .ruff_cache .pytest_cache .hypothesis build

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Sesame needs Python 3.11 or newer; '$(PYTHON)' is older. Set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv .venv

$(LOCAL): requirements.txt requirements-local.txt | .venv/pyvenv.cfg
	@echo "Installing what the local run needs …"
	@$(BIN)/python $(PIP) -r requirements-local.txt
	@touch $@

$(DEV): requirements.txt requirements-local.txt requirements-dev.txt | $(LOCAL)
	@echo "Installing what the tests need …"
	@$(BIN)/python $(PIP) -r requirements-dev.txt
	@touch $@

$(ENGINE): requirements-engine.txt
	@echo "Installing the embedded engine …"
	@$(PYTHON) -m venv .venv-engine
	@.venv-engine/bin/python $(PIP) -r requirements-engine.txt
	@touch $@
