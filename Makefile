.PHONY: help demo test e2e soak soak-part mutants lint tools format schema setup-table reference docs \
	sbom template-lock bench pictures lock clean
PYTHON ?= python3
BIN = .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv ## run two pull requests, their releases and a consumer; leaves a catalogue to open
	$(BIN)/python -m scripts.demo

test: .venv ## run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --ignore tests/e2e --ignore tests/soak
# One more than the number of cores, because some tests wait for a server or a process.
WORKERS = $(shell $(PYTHON) -c "import os; print(os.cpu_count() + 1)")
# Tests start hundreds of processes; without bytecode files, each would compile all modules.
test e2e soak soak-part: export PYTHONDONTWRITEBYTECODE =
# They run on all cores already; more threads in each process would wait for each other.
test e2e soak soak-part: export OPENBLAS_NUM_THREADS = 1

e2e: .venv tools ## run the end-to-end tests (needs Go and Node)
	$(BIN)/python -m pytest -n $(WORKERS) tests/e2e

soak: .venv ## run random histories, faults and kills; SOAK_ROUNDS=100 for more, SOAK_SEED=7 for others
	$(BIN)/python -m pytest -n auto tests/soak

soak-part: .venv ## run a few fixed histories
	SOAK_ROUNDS=2 SOAK_SEED=0 $(BIN)/python -m pytest -n auto tests/soak/test_judged_histories.py

mutants: .venv ## run mutation tests and list the mutants that no test detects; MUTANTS=all for all of them
	$(BIN)/python -m tests.mutants $(MUTANTS) $(IN) --seed $(SEED)
MUTANTS = 150
SEED = 0

lint: .venv .tools/actionlint docs ## check style, types, imports, dead code, workflows and links (needs Go)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/deptry scripts --config deptry.toml
	$(BIN)/vulture
	.tools/actionlint
	$(BIN)/zizmor --quiet --offline --pedantic .github

format: .venv ## format the code and apply automatic fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: .venv ## write the JSON Schema of the config for editors
	$(BIN)/python -c "from scripts.inputs import config_schema; print(config_schema.json_schema(), end='')" > $(SCHEMA).new
	mv $(SCHEMA).new $(SCHEMA)
SCHEMA = scripts/inputs/dataset_config.schema.json

setup-table: .venv ## write the table of all steps into docs/setup.md
	$(BIN)/python -c "import sys; from scripts.setup import text; print(text.with_table(sys.stdin.read()), end='')" \
		< $(SETUP) > $(SETUP).new
	mv $(SETUP).new $(SETUP)
SETUP = docs/setup.md

reference: .venv ## write the pages of the config keys and the verbs
	$(BIN)/python -m scripts.reference

docs: .docs/complete ## build the documentation as a site, in docs-site/; SITE=FOLDER for another one
	NO_MKDOCS_2_WARNING=1 .docs/$(notdir $(BIN))/mkdocs build --strict --site-dir $(SITE)
SITE = docs-site

sbom: .sbom/complete ## write the bill of materials of the machinery, sbom.cdx.json
	.sbom/$(notdir $(BIN))/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml \
		--output-reproducible -o sbom.cdx.json

template-lock: .venv ## rewrite the lock that the template ships
	$(BIN)/python -m scripts template-lock

bench: .venv ## compare with the manual way, on MNIST (downloads it once); TMPDIR sets the folder
	$(BIN)/python -m tests.bench docs

pictures: .venv ## draw the picture of a comment again (needs MNIST and Chromium)
	$(BIN)/python -m tests.pictures docs

lock: .venv ## pin the requirements again, with hashes and without addresses
	$(BIN)/uv pip compile $(COMPILE) requirements.in -o requirements.txt
	$(BIN)/uv pip compile $(COMPILE) requirements-dask.in -o requirements-dask.txt
	$(BIN)/uv pip compile $(COMPILE) requirements-hub.in -o requirements-hub.txt
	$(BIN)/uv pip compile $(COMPILE) requirements-s3.in -o requirements-s3.txt
	$(BIN)/uv pip compile $(COMPILE) requirements-azure.in -o requirements-azure.txt
	$(BIN)/uv pip compile $(COMPILE) requirements-install.in -o requirements-install.txt
	$(BIN)/uv pip compile $(COMPILE) requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile $(COMPILE) requirements-docs.in -o requirements-docs.txt
	$(BIN)/uv pip compile $(COMPILE) requirements-sbom.in -o requirements-sbom.txt
COMPILE = --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"

.venv: .venv/complete ## install the pinned requirements

# This file is written last, so an interrupted installation is started again.
#
# The pip of $(PYTHON) installs uv, because installing pip into .venv takes longer than everything
# else; if $(PYTHON) has no pip, ensurepip installs one. uv installs wheels only, except for two
# packages that are published only as source. They are built without isolation, with the pinned
# setuptools.
.venv/complete: requirements-install.txt requirements-dev.txt
	@rm -rf .venv
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; name one with: make PYTHON=python3.11')"
	@echo "Installing about $$(grep -c == requirements-dev.txt) pinned packages into .venv with uv; this takes about 15 seconds..."
	@set -e; trap 'test -e $@ || rm -rf .venv' EXIT; \
	python="$(PYTHON)"; \
	$$python -m venv --without-pip .venv; \
	$$python -c "import pip" 2>/dev/null || { python=$(BIN)/python; $$python -m ensurepip >/dev/null; }; \
	$$python -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --no-compile \
		--require-hashes --only-binary :all: -r requirements-install.txt; \
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes --no-build-isolation \
		$(WHEELS) -r requirements-dev.txt; \
	touch $@

WHEELS = --only-binary :all: --no-binary antlr4-python3-runtime --no-binary jsonpath-rw

# Tools of documents have folders of their own, so that .venv stays small, and need nothing of it.
.docs/complete .sbom/complete: .%/complete: requirements-%.txt
	@rm -rf .$*
	@$(PYTHON) -m venv .$*
	@.$*/$(notdir $(BIN))/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: -r requirements-$*.txt
	@touch $@

# uv does not read pip's settings, so a mirror that is set for pip is passed to uv.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(value PIP_INDEX_URL)
endif

# Let Python write bytecode files: the demo then takes half the time.
unexport PYTHONDONTWRITEBYTECODE

tools: .tools/act .tools/actionlint tests/doubles/node_modules ## install the tools for e2e and lint

.tools/act:
	GOBIN=$(CURDIR)/.tools go install github.com/nektos/act@v0.2.87

.tools/actionlint:
	GOBIN=$(CURDIR)/.tools go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

tests/doubles/node_modules: tests/doubles/package-lock.json
	npm ci --prefix tests/doubles --no-audit --no-fund
	touch tests/doubles/node_modules

clean: ## remove all installed and built files
	rm -rf .venv .docs .sbom .tools tests/doubles/node_modules dataset demo-catalogue docs-site sbom.cdx.json \
		.dvc/cache .dvc/tmp
