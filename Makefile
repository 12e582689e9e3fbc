.DEFAULT_GOAL := help
.PHONY: help install install-dev run demo sms test check bench clean
.PHONY: permissions test-package package deploy destroy secrets doctor test-deploy lock sbom

PYTHON ?= python3
BIN := .venv/bin
# Two installs in one second would be two stamps: each environment is rebuilt when its list changes.
LOCAL := .venv/local.stamp
DEV := .venv/dev.stamp
ENGINE := .venv-engine/engine.stamp
ACCOUNT := .venv-engine/account.stamp
STAGE ?= dev
# Modules are compiled when they are first imported: most of what is installed never is.
PIP := -m pip install --quiet --disable-pip-version-check --no-input --no-compile
# Where bytecode is kept nowhere, each of the many processes of the tests compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE
SIDE_BY_SIDE := $(MAKE) --silent --no-print-directory --jobs=2

help:  ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

test: install-dev  ## Run all tests but the longest, which `make check` runs
	@$(BIN)/python -m pytest -n 3 --dist loadfile -m "not long"

check: install-dev  ## What CI does beside `make test`: lint, types, layers, the longest tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.module_length
	$(BIN)/python -m pytest -n 2 --dist loadfile -m long
	$(BIN)/bandit -q -c pyproject.toml -r app.py manage.py manage_shell.py chalicelib infra local
	$(BIN)/python -m infra.audit

permissions: install-dev  ## Write infra/permissions.yaml: what each Lambda was seen to call in all tests
	@SESAME_WRITE_PERMISSIONS=1 $(BIN)/python -m pytest -p tests.infra.watch -n 3 --dist loadfile

test-package: install-dev  ## Package both stages, lint them, check what they hold
	@$(BIN)/python -m pytest -p no:xdist tests/infra/packaged.py

test-deploy: install-dev $(ACCOUNT)  ## Deploy to an AWS account emulated here, and use what is deployed
	@$(BIN)/python -m infra.package --stage dev
	@$(BIN)/python -m pytest -p no:xdist tests/infra/deployed.py

package: install-dev  ## Make build/STAGE/deployment.zip and build/STAGE/sam.yaml (STAGE=dev)
	@$(BIN)/python -m infra.package --stage $(STAGE)

secrets: install-dev  ## Make the secrets of a stage in AWS, once (STAGE=dev)
	@$(BIN)/python -m infra.new_secrets --stage $(STAGE)

deploy: package  ## Deploy to AWS: STAGE=dev PARAMETERS='Name=value …'
	@$(BIN)/cfn-lint build/$(STAGE)/sam.yaml
	@$(BIN)/python -m infra.deploy --stage $(STAGE) --parameters '$(PARAMETERS)'

destroy: install-dev  ## Take a stage out of AWS; its tables stay unless DATA=delete
	@$(BIN)/python -m infra.destroy --stage $(STAGE) --data $(or $(DATA),keep)

doctor: install-dev  ## Ask a deployed stage whether it works (STAGE=dev)
	@$(BIN)/python -m infra.on $(STAGE) manage.py doctor

lock: install-dev  ## Write requirements.lock: what the Lambdas ship, with hashes
	@$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --output-file requirements.lock requirements.txt

sbom: install-dev  ## Write build/sbom.json: what the Lambdas ship, as CycloneDX
	@mkdir -p build
	@$(BIN)/cyclonedx-py requirements requirements.lock --output-reproducible -o build/sbom.json

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

$(ACCOUNT): requirements-account.txt $(ENGINE)
	@echo "Installing what an emulated account needs …"
	@.venv-engine/bin/python $(PIP) -r requirements-account.txt
	@touch $@
